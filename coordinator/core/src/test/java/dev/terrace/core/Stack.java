package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A coordinator over tiers on the heap that fail on command, and a clock that moves when told. */
final class Stack implements AutoCloseable {
    static final Duration TTL = Duration.ofMinutes(1);
    static final Duration STALE = Duration.ofMinutes(5);
    static final Duration NEGATIVE = Duration.ofSeconds(10);

    final ManualClock clock = ManualClock.startingNow();
    final MetricRegistry metrics = new MetricRegistry();
    final HeapLocalTier local = new HeapLocalTier(clock);
    final HeapTier remoteHeap = new HeapTier(TierLevel.L2, clock);
    final HeapTier backupHeap = new HeapTier(TierLevel.L3, clock);
    final FaultyTier remote = new FaultyTier(remoteHeap);
    final FaultyTier backup = new FaultyTier(backupHeap);
    final CacheCoordinator coordinator;

    private Stack(Settings settings, boolean withLocal, boolean withRemote, boolean withBackup, boolean scannable) {
        CacheCoordinator.Builder builder = CacheCoordinator.builder()
                .settings(settings)
                .clock(clock)
                .metrics(metrics)
                .nodeId(1);
        if (withLocal) {
            builder.tier(local);
        }
        if (withRemote) {
            builder.tier(remote);
        }
        if (withBackup) {
            builder.tier(scannable ? backupHeap : backup);
        }
        coordinator = builder.build();
    }

    static Stack ofThree() {
        return of("123");
    }

    static Stack ofThree(Settings settings) {
        return of("123", settings);
    }

    static Stack localOnly() {
        return of("1");
    }

    static Stack withoutRemote() {
        return of("13");
    }

    static Stack of(String tiers) {
        return of(tiers, settings());
    }

    /** The levels named in {@code tiers}, such as {@code 13}; with an {@code s}, L3 can be scanned but not fail. */
    static Stack of(String tiers, Settings settings) {
        return new Stack(settings, tiers.contains("1"), tiers.contains("2"), tiers.contains("3"), tiers.contains("s"));
    }

    /** Short deadlines; the cache {@code quotes} allows stale and negative answers, others do not. */
    static Settings settings() {
        return settings(new LoadingSettings(Duration.ofSeconds(2), 8), LimitSettings.defaults());
    }

    static Settings settings(LoadingSettings loading, LimitSettings limits) {
        Settings base = Settings.defaults();
        DistributedCacheSettings l2 = DistributedCacheSettings.defaults();
        BackupStorageSettings l3 = BackupStorageSettings.defaults();
        return new Settings(
                base.localCache(),
                l2,
                l3,
                base.circuitBreaker(),
                base.failover(),
                loading,
                limits,
                Map.of(
                        "quotes", new CachePolicy(TTL, STALE, NEGATIVE, null),
                        "durable", new CachePolicy(TTL, null, null, true),
                        "plain", new CachePolicy(TTL, null, null, null)),
                base.classes(),
                base.server());
    }

    /** As {@link #settings()}, and {@code quotes} loads so. */
    static Settings loadingBy(LoadingPolicy policy, LoadingSettings loading) {
        return withQuotes(new CachePolicy(TTL, STALE, NEGATIVE, null).withLoading(policy), loading);
    }

    /** The same, on {@link dev.terrace.api.Rung#NORMAL} however many calls fail. */
    static Settings withoutBreakers(Settings settings) {
        return new Settings(
                settings.localCache(),
                settings.distributedCache(),
                settings.backupStorage(),
                new CircuitBreakerSettings(false, 5, Duration.ofSeconds(30), Duration.ofSeconds(5), 50),
                settings.failover(),
                settings.loading(),
                settings.limits(),
                settings.caches(),
                settings.classes(),
                settings.server());
    }

    /** As {@link #settings()}, and {@code quotes} has a near cache. */
    static Settings withNearCache(NearCacheSettings near) {
        return withQuotes(
                new CachePolicy(TTL, STALE, NEGATIVE, null).withNearCache(near),
                settings().loading());
    }

    static Settings withQuotes(CachePolicy quotes, LoadingSettings loading) {
        Settings base = settings();
        return new Settings(
                base.localCache(),
                base.distributedCache(),
                base.backupStorage(),
                base.circuitBreaker(),
                base.failover(),
                loading,
                base.limits(),
                Map.of("quotes", quotes),
                base.classes(),
                base.server());
    }

    Cache<String, String> cache(String name) {
        return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
    }

    Cache<String, String> quotes() {
        return cache("quotes");
    }

    static CacheKey key(String key) {
        return CacheKey.of("quotes", key);
    }

    long counter(String name) {
        return metrics.counter(name).getCount();
    }

    @Nullable
    String heldBy(HeapTier tier, String key) {
        return tier.get(key(key)).toCompletableFuture().join() instanceof dev.terrace.spi.Lookup.Hit hit
                        && hit.entry().isValue()
                ? dev.terrace.testkit.Entries.text(hit.entry())
                : null;
    }

    @Override
    public void close() {
        coordinator.close();
    }
}
