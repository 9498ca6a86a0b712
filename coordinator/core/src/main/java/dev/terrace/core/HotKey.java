package dev.terrace.core;

import dev.terrace.spi.CacheKey;

/**
 * A key that is read much, by a sample of the reads.
 *
 * @param key the key
 * @param reads how often it was read at least since reads were last noted, and half as much of what was before
 * @param atMost how often at most: more than {@code reads} when rarer keys had to be forgotten
 */
public record HotKey(CacheKey key, long reads, long atMost) {}
