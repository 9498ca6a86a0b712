package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import java.util.function.Function;

/**
 * A write before it has a version.
 *
 * @param key what is written
 * @param make makes the entry of a version; has no side effects
 * @param terms what is asked of it
 */
record Intent(CacheKey key, Function<Version, Entry> make, Terms terms) {}
