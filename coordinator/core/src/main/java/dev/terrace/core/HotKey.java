package dev.terrace.core;

import dev.terrace.spi.CacheKey;

/**
 * A key that is read much.
 *
 * @param key the key
 * @param reads about how often it was read since reads were last noted, and half as much of what was before
 */
public record HotKey(CacheKey key, long reads) {}
