package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** Settings and tiers for tests against real servers. */
final class RedisFixture {
    static final Duration TIMEOUT = Duration.ofMillis(400);

    static {
        // What these tests wait for takes milliseconds, mostly.
        Awaitility.setDefaultPollInterval(Duration.ofMillis(20));
    }

    private RedisFixture() {}

    static DistributedCacheSettings settings(int... ports) {
        return settings(Topology.AUTO, null, null, ports);
    }

    static DistributedCacheSettings settings(Topology topology, String username, String password, int... ports) {
        HostAndPort[] nodes = IntStream.of(ports)
                .mapToObj(port -> new HostAndPort("127.0.0.1", port))
                .toArray(HostAndPort[]::new);
        return DistributedCacheSettings.defaults()
                .at(topology, nodes)
                .withTimeout(TIMEOUT)
                .withConnectTimeout(Duration.ofSeconds(1))
                .withKeyPrefix("test")
                .withLogin(username, password == null ? null : new Secret(password));
    }

    static RedisTier open(DistributedCacheSettings settings, InstantSource clock, MetricRegistry metrics) {
        return new RedisTier(settings, new Connector(settings), clock, metrics);
    }

    static RedisTier openReady(DistributedCacheSettings settings, InstantSource clock, MetricRegistry metrics) {
        RedisTier tier = open(settings, clock, metrics);
        awaitReady(tier);
        return tier;
    }

    static RedisTier open(int port) {
        return open(settings(port), InstantSource.system(), new MetricRegistry());
    }

    static RedisTier openReady(int port) {
        return openReady(settings(port), InstantSource.system(), new MetricRegistry());
    }

    static CacheKey key(String text) {
        return CacheKey.of("faults", text);
    }

    static Entry entry(String key) {
        return entry(key, 1);
    }

    static Entry entry(String key, int counter) {
        long now = InstantSource.system().millis();
        return Entries.value(key(key), Entries.version(now, counter), now, Duration.ofMinutes(5), "value of " + key);
    }

    static Lookup get(RedisTier tier, String key) {
        return answer(tier.get(key(key)));
    }

    static StoreOutcome put(RedisTier tier, Entry entry) {
        return answer(tier.put(entry, WriteCondition.IF_NEWER));
    }

    /** The outcome, which must be there soon after the tier's deadline. */
    static <T> T answer(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("a stage must complete, and normally", e);
        }
    }

    static void awaitReady(RedisTier tier) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(tier.status())
                        .extracting(TierStatus::state)
                        .as("%s", tier.status())
                        .isEqualTo(TierStatus.State.READY));
    }
}
