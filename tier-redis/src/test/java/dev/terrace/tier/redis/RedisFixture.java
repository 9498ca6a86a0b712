package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.spi.TierStatus;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.IntStream;

/** Settings and tiers for tests against real servers. */
final class RedisFixture {
    static final Duration TIMEOUT = Duration.ofMillis(400);

    private RedisFixture() {}

    static DistributedCacheSettings settings(int... ports) {
        return settings(Topology.AUTO, null, null, ports);
    }

    static DistributedCacheSettings settings(Topology topology, String username, String password, int... ports) {
        DistributedCacheSettings d = DistributedCacheSettings.defaults();
        List<HostAndPort> nodes = IntStream.of(ports)
                .mapToObj(port -> new HostAndPort("127.0.0.1", port))
                .toList();
        return new DistributedCacheSettings(
                true,
                d.backend(),
                nodes,
                topology,
                null,
                1,
                d.consistencyLevel(),
                d.ttl(),
                TIMEOUT,
                Duration.ofSeconds(1),
                d.poolSize(),
                0,
                "test",
                username,
                password == null ? null : new Secret(password),
                null);
    }

    static RedisTier open(DistributedCacheSettings settings, InstantSource clock, MetricRegistry metrics) {
        return new RedisTier(settings, new Connector(settings), clock, metrics);
    }

    static RedisTier openReady(DistributedCacheSettings settings, InstantSource clock, MetricRegistry metrics) {
        RedisTier tier = open(settings, clock, metrics);
        awaitReady(tier);
        return tier;
    }

    static void awaitReady(RedisTier tier) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(tier.status())
                        .extracting(TierStatus::state)
                        .as("%s", tier.status())
                        .isEqualTo(TierStatus.State.READY));
    }
}
