package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
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
 * <p>Eviction is Caffeine's (W-TinyLFU), which is told of a sample of the hits: to tell it of each would be most of a hit's cost. Readers look
 * into a plain map beside it, because a hit costs what it waits for memory, and Caffeine has an object more on the way to a value. Its
 * upkeep is done on the calling threads.
 */
final class NearCache {
    /** A power of two. */
    private static final int TOLD_ONE_IN = 16;

    final Counter hits;
    private final Counter evictions;
    private final long mostMillis;

    /**
     * By the callers' keys; another map after everything was dropped. Each copy in it is in {@link #kept} too, or about to be, under its
     * stripe's lock: one that is found here, but not by its encoded key, would outlive a write.
     */
    private volatile ConcurrentHashMap<Object, NearCopy> found = new ConcurrentHashMap<>();

    /** By the encoded keys. May hold copies that nobody finds any more. */
    private final Cache<CacheKey, NearCopy> kept;

    private final Policy<CacheKey, NearCopy> untold;

    NearCache(String cache, NearCacheSettings settings, MetricRegistry metrics) {
        String prefix = "cache." + cache + ".";
        this.hits = metrics.counter(prefix + "hits.near");
        this.evictions = metrics.counter(prefix + "near.evictions");
        this.mostMillis =
                settings.ttl() == null ? Long.MAX_VALUE : settings.ttl().toMillis();
        this.kept = Caffeine.newBuilder()
                .maximumSize(settings.entries())
                .executor(Runnable::run)
                // Called while the copy is still there by its encoded key.
                .<CacheKey, NearCopy>evictionListener((key, copy, why) -> evicted(copy))
                .build();
        this.untold = kept.policy();
    }

    /** How many copies there are. */
    int size() {
        return found.size();
    }

    private void evicted(@Nullable NearCopy copy) {
        if (copy != null) {
            found.remove(copy.key, copy);
        }
        evictions.inc();
    }

    /** The copy under a caller's key; whether it may be answered is another question. */
    @Nullable
    NearCopy find(Object key) {
        NearCopy copy = found.get(key);
        if (copy != null && (ThreadLocalRandom.current().nextInt() & TOLD_ONE_IN - 1) == 0) {
            var unused = kept.getIfPresent(copy.cacheKey);
        }
        return copy;
    }

    /** The keys that are answered most, hottest first. */
    List<CacheKey> hottest(int most) {
        return untold.eviction()
                .map(eviction -> List.copyOf(eviction.hottest(most).keySet()))
                .orElse(List.of());
    }

    /** The copy under an encoded key, without counting as a use. */
    @Nullable
    NearCopy peek(CacheKey key) {
        NearCopy copy = untold.getIfPresentQuietly(key);
        return copy != null && isFound(copy) ? copy : null;
    }

    private boolean isFound(NearCopy copy) {
        return found.get(copy.key) == copy;
    }

    /** To be asked before L1 is, and handed to {@link #keep} afterwards: another object after everything was dropped. */
    Object era() {
        return found;
    }

    /** When a copy that was taken at {@code nowMillis}, of what is fresh until {@code freshUntilMillis}, has to go. */
    long until(long freshUntilMillis, long nowMillis) {
        return mostMillis < freshUntilMillis - nowMillis ? nowMillis + mostMillis : freshUntilMillis;
    }

    /** Keeps a copy of what L1 had in {@code era}, unless everything was dropped since; the caller holds the key's stripe. */
    void keep(NearCopy copy, Object era) {
        ConcurrentHashMap<Object, NearCopy> into = found;
        if (into != era) {
            return;
        }
        NearCopy replaced = into.put(copy.key, copy);
        NearCopy before = kept.asMap().put(copy.cacheKey, copy);
        if (before != null && !before.key.equals(copy.key)) {
            // Two keys of the caller that are one when encoded.
            into.remove(before.key, before);
        }
        if (replaced != null && !replaced.cacheKey.equals(copy.cacheKey)) {
            // Two codecs that make different bytes of one key.
            kept.asMap().remove(replaced.cacheKey, replaced);
        }
    }

    /** The caller holds the key's stripe. */
    void drop(CacheKey key) {
        NearCopy copy = untold.getIfPresentQuietly(key);
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
        NearCopy copy = untold.getIfPresentQuietly(key);
        boolean older = copy != null && version.isNewerThan(copy.version());
        if (copy != null && older) {
            remove(copy);
        }
        return older;
    }

    private void remove(NearCopy copy) {
        found.remove(copy.key, copy);
        kept.asMap().remove(copy.cacheKey, copy);
    }

    /** Drops everything, and what is being copied from L1 just now; to be called when L1 has dropped everything. */
    synchronized void dropAll() {
        found = new ConcurrentHashMap<>();
        // They are gone for readers already; this is for the memory. Newer copies may have been kept meanwhile.
        kept.asMap().values().removeIf(copy -> !isFound(copy));
    }
}
