package dev.terrace.benchmarks;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierProvider;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Whole nodes over one Redis: Chronicle Map, Redis, and its log of notices. */
final class Fleet {
    static final int VALUE_BYTES = 1024;
    private static final InstantSource WALL = InstantSource.system();

    private final int port;

    Fleet(int port) {
        this.port = port;
    }

    /** One node. */
    record Node(CacheCoordinator coordinator, LocalTier local, Cache<String, byte[]> cache) implements AutoCloseable {
        @Override
        public void close() {
            coordinator.close();
        }
    }

    DistributedCacheSettings settings() {
        DistributedCacheSettings d = DistributedCacheSettings.defaults();
        return new DistributedCacheSettings(
                true,
                d.backend(),
                List.of(new HostAndPort("127.0.0.1", port)),
                d.topology(),
                null,
                1,
                d.consistencyLevel(),
                d.ttl(),
                Duration.ofSeconds(2),
                d.connectTimeout(),
                d.poolSize(),
                0,
                d.keyPrefix(),
                null,
                null,
                null);
    }

    private TierContext context() {
        LocalCacheSettings d = LocalCacheSettings.defaults();
        return new TestContext(
                WALL,
                settings(),
                BackplaneSettings.defaults(),
                new LocalCacheSettings(
                        true, 400_000, 1_500, Duration.ofDays(1), d.evictionPolicy(), d.sweepInterval()));
    }

    private Tier tier(String name) {
        Tier tier = ServiceLoader.load(TierProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElseThrow()
                .open(context());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (tier.status().state() != TierStatus.State.READY && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(1_000_000);
        }
        return tier;
    }

    /** The log of notices. */
    Backplane log() {
        return ServiceLoader.load(BackplaneProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(provider -> provider.name().equals("redis"))
                .findFirst()
                .orElseThrow()
                .open("", context());
    }

    /** @param dropped told of every key that is dropped from L1 */
    Node join(long id, boolean withBackplane, Consumer<CacheKey> dropped) {
        LocalTier local = new Watched((LocalTier) tier("chronicle"), dropped);
        CacheCoordinator.Builder builder = CacheCoordinator.builder()
                .nodeId(id)
                .metrics(new MetricRegistry())
                .tier(local)
                .tier(tier("redis"));
        if (withBackplane) {
            builder.backplane(log());
        }
        CacheCoordinator coordinator = builder.build();
        return new Node(coordinator, local, coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes()));
    }

    /** L1 that says what is dropped. */
    private record Watched(LocalTier tier, Consumer<CacheKey> dropped) implements LocalTier {
        @Override
        public void drop(CacheKey key) {
            tier.drop(key);
            dropped.accept(key);
        }

        @Override
        public boolean read(KeyBuffer key, EnvelopeView into) {
            return tier.read(key, into);
        }

        @Override
        public StoreOutcome store(Entry entry, WriteCondition condition) {
            return tier.store(entry, condition);
        }

        @Override
        public void dropAll() {
            tier.dropAll();
        }

        @Override
        public TierLevel level() {
            return tier.level();
        }

        @Override
        public CompletionStage<Lookup> get(CacheKey key) {
            return tier.get(key);
        }

        @Override
        public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
            return tier.getAll(keys);
        }

        @Override
        public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
            return tier.put(entry, condition);
        }

        @Override
        public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
            return tier.putAll(entries);
        }

        @Override
        public CompletionStage<Void> clear(String cache, Version upTo) {
            return tier.clear(cache, upTo);
        }

        @Override
        public TierStatus status() {
            return tier.status();
        }

        @Override
        public void close() {
            tier.close();
        }
    }
}
