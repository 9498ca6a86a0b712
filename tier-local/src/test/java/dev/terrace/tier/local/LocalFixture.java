package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CacheClass;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.config.LocalShare;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A local tier of a test's size, over a clock that stands still, and short words for what tests do to it. */
final class LocalFixture {
    static final Duration TTL = Duration.ofHours(1);

    final ManualClock clock = ManualClock.startingNow();
    final MetricRegistry metrics = new MetricRegistry();
    private final AtomicInteger counter = new AtomicInteger();
    private final Map<String, CachePolicy> caches = new LinkedHashMap<>();
    private final List<CacheClass> classes = new ArrayList<>();
    private @Nullable Path folder;

    /** Printed, and replayed with {@code -Dterrace.seed}. */
    static SplittableRandom random(Class<?> test) {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println(test.getSimpleName() + " seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        return new SplittableRandom(seed * 0x9E3779B97F4A7C15L ^ 0x5851F42D4C957F2DL);
    }

    LocalFixture share(String cache, int reserved, int most) {
        caches.put(cache, CachePolicy.INHERIT.withLocalShare(new LocalShare(reserved, most)));
        return this;
    }

    LocalFixture classShare(String pattern, String name, int reserved, int most) {
        classes.add(new CacheClass(pattern, name, CachePolicy.INHERIT.withLocalShare(new LocalShare(reserved, most))));
        return this;
    }

    /** In a file of this folder instead of memory. */
    void persistIn(Path where) {
        folder = where;
    }

    OffHeapTier open(long capacity, long mebibytes, EvictionPolicy policy) {
        return open(capacity, mebibytes, policy, LocalCacheSettings.NEVER_SHRINK, Path.of("/nowhere"));
    }

    OffHeapTier open(long capacity, long mebibytes, EvictionPolicy policy, int shrinkAt, Path cgroup) {
        LocalCacheSettings settings = new LocalCacheSettings(
                        true, capacity, mebibytes, TTL, policy, Duration.ofHours(1))
                .shrinkingAt(shrinkAt, cgroup);
        Settings all = Settings.defaults().withCaches(caches).withClasses(classes);
        return open(settings, new Groups(all));
    }

    OffHeapTier open(LocalCacheSettings settings, Groups groups) {
        return folder == null
                ? new OffHeapTier(settings, groups, clock, metrics, KeyHash.XXH128)
                : PersistedTier.open(settings, groups, folder, clock, PersistedFixture.DRIFT, metrics, KeyHash.XXH128);
    }

    Entry entry(CacheKey key, byte[] payload, Duration ttl) {
        int count = counter.incrementAndGet() & 0xFFFF;
        if (count == 0) {
            // Versions of one millisecond must not begin anew: what is put again would be older than what is there.
            clock.advance(Duration.ofMillis(1));
        }
        return value(key, version(clock.millis(), count), clock.millis(), ttl, payload);
    }

    StoreOutcome put(OffHeapTier tier, String cache, String key, int bytes) {
        return tier.store(entry(CacheKey.of(cache, key), new byte[bytes], TTL), WriteCondition.IF_NEWER);
    }

    static boolean holds(OffHeapTier tier, String cache, String key) {
        return tier.get(CacheKey.of(cache, key)).toCompletableFuture().join() instanceof Lookup.Hit;
    }

    long evictions(EvictionCause cause) {
        return metrics.counter("l1.evictions." + cause.text()).getCount();
    }
}
