package dev.terrace.node.http;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
import java.util.concurrent.ConcurrentHashMap;

/** The caches as callers name them, with keys and values that are bytes. Thread-safe. */
final class ServedCaches {
    /** Every cache has metrics of its own; callers must not make up names without end. */
    private static final int MOST_CACHES = 1_000;

    private final CacheCoordinator coordinator;
    private final boolean readsOrigin;
    private final ConcurrentHashMap<String, Cache<byte[], byte[]>> caches = new ConcurrentHashMap<>();

    ServedCaches(CacheCoordinator coordinator, boolean readsOrigin) {
        this.coordinator = coordinator;
        this.readsOrigin = readsOrigin;
    }

    CacheCoordinator coordinator() {
        return coordinator;
    }

    /** Any of them. */
    Cache<byte[], byte[]> named(String name) {
        Cache<byte[], byte[]> known = caches.get(name);
        if (known == null) {
            if (caches.size() >= MOST_CACHES) {
                throw new HttpProblem(
                        409,
                        "Conflict",
                        "this node serves " + MOST_CACHES + " caches already; use one of them, with longer keys");
            }
            known = coordinator.cache(name, Codecs.bytesKey(), Codecs.bytes());
            caches.putIfAbsent(name, known);
        }
        return known;
    }

    /** Whether this one is filled from the origin, and from nowhere else. */
    boolean isOrigins(String name) {
        return readsOrigin && name.equals(OriginEndpoints.CACHE);
    }

    /** One that callers may write into. */
    Cache<byte[], byte[]> plain(String name) {
        if (isOrigins(name)) {
            throw new HttpProblem(
                    409,
                    "Conflict",
                    "cache '" + name + "' is filled from the origin: read its entries one by one, write at the origin");
        }
        return named(name);
    }
}
