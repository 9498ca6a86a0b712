package dev.terrace.core.origin;

import dev.terrace.spi.Entry;

/**
 * One write for a writer.
 *
 * @param entry a value to write, or something without a value for a removal
 * @param attempt 1 for the first call
 */
public record OriginCall(Entry entry, int attempt) {}
