package dev.terrace.node.storm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.TierProvider;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two nodes with an L2, a log on another Redis, and a group: either way of notices may be away. */
@Tag("alone")
class TwoPathsIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final InstantSource WALL = InstantSource.system();
    private static final Secret SECRET = new Secret("correct horse battery staple");

    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<HostAndPort> members = new ArrayList<>();
    private RedisProcess logServer;
    private Node one;
    private Node two;

    private record Node(CacheCoordinator coordinator, MetricRegistry metrics, Backplane group) {
        Cache<String, String> cache(String name) {
            return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
        }

        boolean trusted() {
            return coordinator.coherence().trusted();
        }

        long count(String name) {
            return metrics.counter(name).getCount();
        }
    }

    @BeforeEach
    void start() {
        RedisProcess store = RedisProcess.start();
        open.add(store);
        logServer = RedisProcess.start();
        open.add(logServer);
        for (int i = 0; i < 2; i++) {
            members.add(new HostAndPort("127.0.0.1", RedisProcess.freePort()));
        }
        one = node(1, store.port());
        two = node(2, store.port());
        await().atMost(SOON).until(() -> one.trusted() && two.trusted() && joined(one) && joined(two));
    }

    private static boolean joined(Node node) {
        return node.coordinator().coherence().nodes() == 1
                && node.group().trouble().isEmpty();
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    private Node node(long id, int storePort) {
        Settings settings = SettingsLoader.parse("""
                distributed_cache:
                  distributed_cache: {enabled: true, cluster_nodes: ["127.0.0.1:%d"], topology: standalone}
                  backplane: {enabled: true, lease: "1s"}
                  caches:
                    bounded: {consistency: bounded, staleness_bound: "500ms"}
                    strict: {consistency: strict}
                """.formatted(storePort), "two-paths", Map.of())
                .settings();
        BackplaneSettings group = new BackplaneSettings(
                true,
                10_000,
                null,
                Duration.ofSeconds(1),
                false,
                new BackplaneSettings.GroupSettings(
                        true, "127.0.0.1", members.get((int) id - 1).port(), members, null, SECRET));
        MetricRegistry metrics = new MetricRegistry();
        Backplane channel = backplane("jgroups").open("", new TestContext(WALL, redis(storePort), group));
        CacheCoordinator coordinator = CacheCoordinator.builder()
                .settings(settings)
                .nodeId(id)
                .metrics(metrics)
                .tier(new HeapLocalTier(WALL))
                .tier(ServiceLoader.load(TierProvider.class).stream()
                        .map(ServiceLoader.Provider::get)
                        .filter(provider -> provider.name().equals("redis"))
                        .findFirst()
                        .orElseThrow()
                        .open(new TestContext(WALL, redis(storePort))))
                .backplane(backplane("redis").open("", new TestContext(WALL, redis(logServer.port()), group)))
                .backplane(channel)
                .build();
        open.add(coordinator);
        return new Node(coordinator, metrics, channel);
    }

    private static BackplaneProvider backplane(String name) {
        return ServiceLoader.load(BackplaneProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static DistributedCacheSettings redis(int port) {
        return SettingsLoader.parse("""
                distributed_cache:
                  distributed_cache: {enabled: true, cluster_nodes: ["127.0.0.1:%d"], topology: standalone, timeout: "500ms"}
                """.formatted(port), "two-paths", Map.of())
                .settings()
                .distributedCache();
    }

    private void awaitCopy(String name, String value) {
        Cache<String, String> theirs = two.cache(name);
        await().atMost(SOON)
                .until(() -> value.equals(theirs.get("k")) && theirs.read("k").source() == Source.L1);
    }

    private void awaitSeen(String name, String value) {
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> value.equals(two.cache(name).get("k")));
    }

    @Test
    @Tag("F31")
    void whileTheLogIsAwayTheGroupCarriesNoticesAndNothingIsLostWhenItIsBack() {
        for (String name : List.of("eventual", "bounded", "strict")) {
            await().atMost(SOON)
                    .ignoreExceptions()
                    .until(() -> one.cache(name).put("k", "old").applied());
            awaitCopy(name, "old");
        }
        logServer.kill();
        one.cache("eventual").put("k", "new");
        awaitSeen("eventual", "new");
        assertThat(two.count("coherence.gaps"))
                .as("the copy went by a notice, not by a gap")
                .isZero();

        await().atMost(SOON).until(() -> !two.trusted());
        assertThat(two.cache("bounded").read("k").source()).isEqualTo(Source.L2);
        assertThat(one.cache("bounded").put("k", "new").announced())
                .as("by a bound")
                .isFalse();
        assertThat(two.cache("bounded").get("k")).isEqualTo("new");
        // L2 has it, unless a busy machine kept its answer for too long; then nobody knows what it holds.
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThatThrownBy(() -> one.cache("strict").put("k", "new"))
                                .isInstanceOf(UnavailableException.class)
                                .hasMessageContaining("was not heard by all nodes")
                                .hasMessageContaining("unknown"));
        assertThat(two.cache("strict").get("k")).isNotEqualTo("old");

        logServer.restart();
        await().atMost(SOON)
                .until(() -> one.trusted()
                        && two.trusted()
                        && one.coordinator().coherence().unsent() == 0);
        for (String name : List.of("eventual", "bounded", "strict")) {
            awaitCopy(name, "new");
            // Both ways bring it now, and once is enough.
            for (int i = 0; i < 50; i++) {
                String value = "both" + i;
                one.cache(name).put("k", value);
                if (!name.equals("eventual")) {
                    await().atMost(SOON)
                            .pollInterval(Duration.ofMillis(1))
                            .until(() -> value.equals(two.cache(name).get("k")));
                }
            }
            awaitCopy(name, "both49");
        }
        assertThat(one.cache("bounded").put("k", "last").announced()).isTrue();
    }

    @Test
    @Tag("F31")
    void whileTheGroupIsAwayTheLogAloneKeepsEveryPromise() {
        two.group().close();
        await().atMost(SOON).until(() -> one.group().trouble().equals("no other node is reached"));
        for (String name : List.of("bounded", "strict")) {
            for (int i = 0; i < 20; i++) {
                String value = "v" + i;
                assertThat(one.cache(name).put("k", value).announced()).isTrue();
                long begin = System.nanoTime();
                if (name.equals("strict")) {
                    assertThat(two.cache(name).get("k")).isIn(value, null);
                }
                awaitSeen(name, value);
                assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
            }
            awaitCopy(name, "v19");
        }
        assertThat(one.trusted()).isTrue();
        assertThat(two.trusted()).isTrue();
    }
}
