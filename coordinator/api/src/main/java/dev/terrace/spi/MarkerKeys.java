package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/**
 * Under which keys markers lie: entries of reserved caches, each of which hides what is not newer than its own version. For who keeps
 * entries and must not hand out one before it knows what hides it. Stateless.
 */
public final class MarkerKeys {
    /** No user's cache may have a name that starts so. */
    public static final String RESERVED_PREFIX = "terrace.";

    /** Stands for the cache in notices about namespaces. */
    public static final String NAMESPACES = RESERVED_PREFIX + "namespaces";

    private static final String CACHES = RESERVED_PREFIX + "markers";
    private static final String TAGS = RESERVED_PREFIX + "tags";
    private static final String NEWEST = RESERVED_PREFIX + "tags.newest";
    private static final char SEPARATOR = '/';

    private MarkerKeys() {}

    /** What hides everything of a cache. */
    public static CacheKey ofCache(String cache) {
        return CacheKey.of(CACHES, cache);
    }

    /** What hides everything of the caches of a namespace. */
    public static CacheKey ofNamespace(String namespace) {
        return CacheKey.of(NAMESPACES, namespace);
    }

    /** Whether a key is that of a marker which never expires: of a cache or a namespace. */
    public static boolean isForever(CacheKey key) {
        String cache = key.cache();
        return cache.equals(CACHES) || cache.equals(NAMESPACES);
    }

    /** What hides everything of a cache that carries a tag. The length keeps names and tags apart. */
    public static CacheKey ofTag(String cache, String tag) {
        return CacheKey.of(TAGS, cache.length() + ":" + cache + tag);
    }

    /** The newest of all markers of tags of a cache. */
    public static CacheKey ofNewestTag(String cache) {
        return CacheKey.of(NEWEST, cache);
    }

    /** The part of a cache's name before the first slash; null when it is in no namespace. */
    public static @Nullable String namespaceOf(String cache) {
        int end = cache.indexOf(SEPARATOR);
        return end <= 0 ? null : cache.substring(0, end);
    }
}
