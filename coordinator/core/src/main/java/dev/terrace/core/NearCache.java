package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Decoded values of one cache, in front of L1 and under its rules. Readers find them by their own keys, without encoding any;
 * notices and writes find them by the encoded key. What is kept or dropped under one encoded key is so under its stripe's lock in
 * {@link LocalCopies}. Thread-safe.
 *
 * <p>Eviction is Caffeine's (W-TinyLFU), told of a sample of the hits: to tell it of each would be most of a hit's cost. Its upkeep
 * is done on the calling threads.
 */
final class NearCache {
    /** A power of two. */
    private static final int TOLD_ONE_IN = 16;

    final Counter hits;
    private final Counter evictions;
    private final long mostMillis;
    private final Cache<Object, NearCopy> byKey;
    private final Policy<Object, NearCopy> untold;

    /** Holds every copy that {@link #byKey} holds, or is about to. */
    private final ConcurrentHashMap<CacheKey, NearCopy> byCacheKey = new ConcurrentHashMap<>();

    /** How often everything was dropped; older copies are no copies any more. Written under this object's monitor. */
    private volatile long sweeps;

    NearCache(String cache, NearCacheSettings settings, MetricRegistry metrics) {
        String prefix = "cache." + cache + ".";
        this.hits = metrics.counter(prefix + "hits.near");
        this.evictions = metrics.counter(prefix + "near.evictions");
        this.mostMillis =
                settings.ttl() == null ? Long.MAX_VALUE : settings.ttl().toMillis();
        this.byKey = Caffeine.newBuilder()
                .maximumSize(settings.entries())
                .executor(Runnable::run)
                .<Object, NearCopy>removalListener((key, copy, why) -> gone(copy, why))
                .build();
        this.untold = byKey.policy();
    }

    /** How many copies there are. */
    int size() {
        return byCacheKey.size();
    }

    /** Called when no reader finds the copy any more: one that is found, but not by its encoded key, would outlive a write. */
    private void gone(@Nullable NearCopy copy, RemovalCause why) {
        if (copy != null) {
            byCacheKey.remove(copy.cacheKey, copy);
        }
        if (why.wasEvicted()) {
            evictions.inc();
        }
    }

    /** The copy under a caller's key; whether it may be answered is another question. */
    @Nullable
    NearCopy find(Object key) {
        boolean told = (ThreadLocalRandom.current().nextInt() & TOLD_ONE_IN - 1) == 0;
        NearCopy copy = told ? byKey.getIfPresent(key) : untold.getIfPresentQuietly(key);
        return copy != null && copy.sweep == sweeps ? copy : null;
    }

    /** The keys that are answered most, hottest first. */
    List<CacheKey> hottest(int most) {
        return untold.eviction()
                .map(eviction -> eviction.hottest(most).values().stream()
                        .map(copy -> copy.cacheKey)
                        .toList())
                .orElse(List.of());
    }

    /** The copy under an encoded key, without counting as a use. */
    @Nullable
    NearCopy peek(CacheKey key) {
        NearCopy copy = byCacheKey.get(key);
        return copy != null && copy.sweep == sweeps ? copy : null;
    }

    /** To be asked before L1 is, for {@link NearCopy#sweep}. */
    long sweeps() {
        return sweeps;
    }

    /** When a copy that was taken at {@code nowMillis}, of what is fresh until {@code freshUntilMillis}, has to go. */
    long until(long freshUntilMillis, long nowMillis) {
        return mostMillis < freshUntilMillis - nowMillis ? nowMillis + mostMillis : freshUntilMillis;
    }

    /** Keeps a copy; the caller holds the key's stripe. */
    void keep(NearCopy copy) {
        NearCopy before = byCacheKey.put(copy.cacheKey, copy);
        if (before != null && !before.key.equals(copy.key)) {
            // Two keys of the caller that are one when encoded.
            byKey.asMap().remove(before.key, before);
        }
        // What it replaces may be of another encoded key: two codecs that make different bytes of one key.
        byKey.put(copy.key, copy);
    }

    /** The caller holds the key's stripe. */
    void drop(CacheKey key) {
        NearCopy copy = byCacheKey.get(key);
        if (copy != null) {
            remove(copy);
        }
    }

    /**
     * Drops what is older than {@code version}; the caller holds the key's stripe.
     *
     * @return true when there was such a copy
     */
    boolean dropOlder(CacheKey key, Version version) {
        NearCopy copy = byCacheKey.get(key);
        boolean older = copy != null && version.isNewerThan(copy.version);
        if (copy != null && older) {
            remove(copy);
        }
        return older;
    }

    private void remove(NearCopy copy) {
        byCacheKey.remove(copy.cacheKey, copy);
        byKey.asMap().remove(copy.key, copy);
    }

    /** Drops everything, and what is being copied from L1 just now; to be called when L1 has dropped everything. */
    synchronized void dropAll() {
        long now = sweeps + 1;
        sweeps = now;
        // They are gone for readers already; this is for the memory. Newer copies may have been kept meanwhile.
        byCacheKey.values().forEach(copy -> {
            if (copy.sweep != now) {
                remove(copy);
            }
        });
    }
}
