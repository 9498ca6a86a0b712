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
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierProvider;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.ForwardingLocalTier;
import dev.terrace.testkit.TestContext;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ServiceLoader;
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
        return d.at(d.topology(), new HostAndPort("127.0.0.1", port)).withTimeout(Duration.ofSeconds(2));
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
        Pace.await(() -> tier.status().state() == TierStatus.State.READY, Duration.ofSeconds(20));
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
        LocalTier local = new Watched((LocalTier) tier("offheap"), dropped);
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
    private static final class Watched extends ForwardingLocalTier {
        private final Consumer<CacheKey> dropped;

        Watched(LocalTier tier, Consumer<CacheKey> dropped) {
            super(tier);
            this.dropped = dropped;
        }

        @Override
        public void drop(CacheKey key) {
            super.drop(key);
            dropped.accept(key);
        }
    }
}
