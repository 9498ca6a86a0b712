package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.SteadyClock;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapBackplane;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Nodes whose surroundings are wrong: clocks that were set, ids that are not their own. In real time, over one L2 and one log. */
class NodesInTroubleTest {
    private final HeapTier remote = new HeapTier(TierLevel.L2, InstantSource.system());
    /** A node that closes leaves it to the others. */
    private final Tier shared = new LastingTier(remote);

    private final HeapLog log = new HeapLog();
    private final List<Node> nodes = new ArrayList<>();

    /** A wall clock that can be set. */
    private static final class SetClock implements InstantSource {
        private volatile Duration offset = Duration.ZERO;

        @Override
        public Instant instant() {
            return Instant.now().plus(offset);
        }
    }

    private final class Node {
        final SetClock clock = new SetClock();
        final HeapBackplane end = log.open();
        final MetricRegistry metrics = new MetricRegistry();
        final CacheCoordinator coordinator;

        Node(long id) {
            coordinator = CacheCoordinator.builder()
                    .nodeId(id)
                    .metrics(metrics)
                    .clock(clock)
                    .promises(SimulatedFleet.PROMISES)
                    .tier(new HeapLocalTier(new SteadyClock(clock)))
                    .tier(shared)
                    .backplane(end)
                    .build();
            nodes.add(this);
        }

        Cache<String, String> cache(String name) {
            return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
        }

        CoherenceStatus coherence() {
            return coordinator.coherence();
        }

        Object gauge(String name) {
            return metrics.getGauges().get(name).getValue();
        }
    }

    @AfterEach
    void close() {
        nodes.forEach(node -> node.coordinator.close());
    }

    private static void awaitL1(Cache<String, String> cache, String key) {
        await().until(() -> cache.read(key).source() == Source.L1);
    }

    @Test
    void theStatusSaysHowWellANodeHears() {
        Node one = new Node(1);
        Node two = new Node(2);
        await().until(() -> one.coherence().trusted() && one.coherence().nodes() == 1);
        assertThat(one.coherence().line())
                .startsWith("copies trusted, heard everything")
                .contains("log: well");
        assertThat(one.gauge("coherence.trusted")).isEqualTo(1L);
        assertThat((long) one.gauge("coherence.staleness.bound")).isBetween(0L, 200L);
        one.end.cut();
        await().until(() -> !one.coherence().trusted());
        assertThat(one.gauge("coherence.trusted")).isEqualTo(0L);
        assertThat(one.coherence().line()).startsWith("copies not trusted");
        assertThat(two.coherence().trusted()).isTrue();
        one.end.mend();
        await().until(() -> one.coherence().trusted());
        assertThat(CacheCoordinator.builder()
                        .tier(new HeapLocalTier(one.clock))
                        .build()
                        .coherence())
                .as("without a backplane")
                .isNull();
    }

    /** Neither would hear the other, because a node does not listen to itself. */
    @Test
    void twoProcessesWithOneNodeIdSaySoAndTrustNoCopies() {
        Node one = new Node(7);
        Cache<String, String> bounded = one.cache("bounded");
        bounded.put("k", "old");
        awaitL1(bounded, "k");
        Node other = new Node(7);
        await().until(() -> one.coherence().nodeIdClash() && other.coherence().nodeIdClash());
        assertThat(one.coherence().line()).contains("ANOTHER PROCESS HAS THIS NODE'S ID");
        for (String name : List.of("bounded", "strict", "eventual")) {
            for (int i = 0; i < 8; i++) {
                String value = name + i;
                one.cache(name).put("k" + i, value);
                String key = "k" + i;
                // While markers are read again it may be nothing, but never what was replaced.
                await().pollInterval(Duration.ofMillis(5))
                        .until(() -> value.equals(other.cache(name).get(key)));
                other.cache(name).put("k" + i, value + "!");
                if (!name.equals("eventual")) {
                    assertThat(one.cache(name).get(key)).isNotEqualTo(value);
                }
                await().pollInterval(Duration.ofMillis(5))
                        .until(() -> (value + "!").equals(one.cache(name).get(key)));
            }
        }
        assertThat(one.metrics.counter("coherence.node_id_clashes").getCount()).isPositive();
        assertThat(one.coherence().trusted()).isFalse();
        other.coordinator.close();
        await().until(() -> one.coherence().trusted() && !one.coherence().nodeIdClash());
        awaitL1(bounded, "k1");
    }

    @Test
    void aNodeThatWasRestartedWithItsIdIsNoClash() {
        for (int life = 0; life < 3; life++) {
            Node node = new Node(7);
            Cache<String, String> bounded = node.cache("bounded");
            bounded.put("k", "life" + life);
            awaitL1(bounded, "k");
            if (life == 1) {
                node.end.cut(); // it dies: no farewell
            }
            node.coordinator.close();
            assertThat(node.metrics.counter("coherence.node_id_clashes").getCount())
                    .isZero();
        }
    }

    @Test
    @Tag("F17")
    void aClockSetBackByAnHourNeitherLosesWritesNorKeepsOldCopies() {
        Node one = new Node(1);
        Node two = new Node(2);
        for (String name : List.of("bounded", "strict", "eventual")) {
            Cache<String, String> mine = one.cache(name);
            Cache<String, String> theirs = two.cache(name);
            mine.put("k", "old");
            awaitL1(theirs, "k");
            two.clock.offset = Duration.ofHours(-1);
            mine.put("k", "new");
            assertThat(theirs.get("k"))
                    .as("what the others write is not from the future")
                    .isEqualTo("new");
            WriteReceipt receipt = theirs.put("k", "newer");
            assertThat(receipt.applied()).as("versions do not go back").isTrue();
            await().untilAsserted(() -> assertThat(remote.get(dev.terrace.spi.CacheKey.of(name, "k"))
                            .toCompletableFuture()
                            .join())
                    .isInstanceOfSatisfying(
                            dev.terrace.spi.Lookup.Hit.class,
                            hit -> assertThat(hit.entry().version()).isEqualTo(receipt.version())));
            assertThat(theirs.get("k")).isEqualTo("newer");
            assertThat(mine.get("k")).isNotEqualTo("old").isNotEqualTo("new");
            two.clock.offset = Duration.ZERO;
            mine.put("k", "newest");
            await().untilAsserted(() -> assertThat(theirs.get("k")).isEqualTo("newest"));
        }
        assertThat(two.metrics.counter("versions.refused").getCount()).isZero();
    }

    /** A machine that slept: its monotonic clock stood still, its wall clock did not. */
    @Test
    @Tag("F30")
    void aClockThatJumpedAheadEndsTheTrustUntilTheNextBeat() {
        Node one = new Node(1);
        Cache<String, String> bounded = one.cache("bounded");
        bounded.put("k", "v");
        awaitL1(bounded, "k");
        one.end.cut();
        one.clock.offset = Duration.ofSeconds(1);
        assertThat(one.coherence().trusted()).isFalse();
        one.end.mend();
        await().until(() -> one.coherence().trusted());
    }
}
