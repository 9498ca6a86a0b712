package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Policies;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Gauges;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The near caches of one coordinator, one per cache that the settings give one. Thread-safe. */
final class NearCaches implements AutoCloseable {
    private final Policies policies;
    private final MetricRegistry metrics;
    private final Gauges gauges;
    private final ConcurrentHashMap<String, NearCache> open = new ConcurrentHashMap<>();

    NearCaches(Policies policies, MetricRegistry metrics) {
        this.policies = policies;
        this.metrics = metrics;
        this.gauges = new Gauges(metrics);
    }

    /** The near cache of {@code cache}, opened if it was not; null when the settings give it none. */
    @Nullable
    NearCache open(String cache) {
        NearCacheSettings settings = policies.ofCache(cache).nearCache();
        return settings == null ? null : open.computeIfAbsent(cache, name -> opened(name, settings));
    }

    private NearCache opened(String cache, NearCacheSettings settings) {
        NearCache near = new NearCache(cache, settings, metrics);
        gauges.put("cache." + cache + ".near.entries", near::size);
        return near;
    }

    /** The copy under {@code key}, for people. */
    @Nullable
    NearCopy peek(CacheKey key) {
        NearCache near = open.get(key.cache());
        return near == null ? null : near.peek(key);
    }

    /** The caller holds the key's stripe. */
    void drop(CacheKey key) {
        NearCache near = open.get(key.cache());
        if (near != null) {
            near.drop(key);
        }
    }

    /** The caller holds the key's stripe; true when there was an older copy. */
    boolean dropOlder(CacheKey key, Version version) {
        NearCache near = open.get(key.cache());
        return near != null && near.dropOlder(key, version);
    }

    /** The keys that are answered most, of all of them together at most {@code most}; hottest first within each. */
    List<CacheKey> hottest(int most) {
        List<CacheKey> hottest = new ArrayList<>();
        for (NearCache near : open.values()) {
            hottest.addAll(near.hottest(Math.max(1, most / open.size())));
        }
        return hottest;
    }

    /** To be called when L1 has dropped everything. */
    void dropAll() {
        open.values().forEach(NearCache::dropAll);
    }

    /** Nobody asks any more: what is kept is let go of. */
    @Override
    public void close() {
        gauges.close();
        dropAll();
    }
}
