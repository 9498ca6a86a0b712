package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import org.jspecify.annotations.Nullable;

/** Under which keys markers lie. */
final class MarkerKeys {
    /** No user's cache may have a name that starts so. */
    static final String RESERVED_PREFIX = "terrace.";

    /** Stands for the cache in notices about namespaces. */
    static final String NAMESPACES = RESERVED_PREFIX + "namespaces";

    private static final String CACHES = RESERVED_PREFIX + "markers";
    private static final String TAGS = RESERVED_PREFIX + "tags";
    private static final String NEWEST = RESERVED_PREFIX + "tags.newest";
    private static final char SEPARATOR = '/';

    private MarkerKeys() {}

    static CacheKey ofCache(String cache) {
        return CacheKey.of(CACHES, cache);
    }

    static CacheKey ofNamespace(String namespace) {
        return CacheKey.of(NAMESPACES, namespace);
    }

    /** The length keeps names and tags apart. */
    static CacheKey ofTag(String cache, String tag) {
        return CacheKey.of(TAGS, cache.length() + ":" + cache + tag);
    }

    /** The newest of all markers of tags of a cache. */
    static CacheKey ofNewestTag(String cache) {
        return CacheKey.of(NEWEST, cache);
    }

    /** The part of a cache's name before the first slash; null when it is in no namespace. */
    static @Nullable String namespaceOf(String cache) {
        int end = cache.indexOf(SEPARATOR);
        return end <= 0 ? null : cache.substring(0, end);
    }
}
