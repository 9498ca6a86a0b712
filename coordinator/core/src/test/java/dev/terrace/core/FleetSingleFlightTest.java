package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.LoaderException;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.OriginPolicy;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapBackplane;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Nodes over one L2, in real time: who of them asks the origin. */
class FleetSingleFlightTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final HeapTier remote = new HeapTier(TierLevel.L2, InstantSource.system());
    private final HeapLog log = new HeapLog();
    private final List<Node> nodes = new ArrayList<>();
    private final AtomicInteger calls = new AtomicInteger();
    private final ConcurrentHashMap<String, AtomicInteger> underWay = new ConcurrentHashMap<>();
    private final AtomicInteger most = new AtomicInteger();

    private final class Node implements AutoCloseable {
        final MetricRegistry metrics = new MetricRegistry();
        final CacheCoordinator coordinator;

        Node(boolean hears) {
            Map<String, CachePolicy> caches = new HashMap<>();
            caches.put("quotes", new CachePolicy(Duration.ofMinutes(1), Duration.ZERO, Duration.ZERO, null));
            caches.put(
                    "cheap",
                    caches.get("quotes").withOrigin(new OriginPolicy(null, OriginPolicy.SingleFlight.PROCESS)));
            CacheCoordinator.Builder builder = CacheCoordinator.builder()
                    .settings(Settings.defaults().withCaches(caches))
                    .metrics(metrics)
                    .tier(new HeapLocalTier(InstantSource.system()))
                    .tier(remote);
            if (hears) {
                HeapBackplane end = log.open();
                builder.backplane(end);
            }
            coordinator = builder.build();
            nodes.add(this);
        }

        Cache<String, String> cache(String name) {
            return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
        }

        CompletableFuture<String> get(String key, dev.terrace.api.Loader<String, String> loader) {
            return cache("quotes").async().get(key, loader).toCompletableFuture();
        }

        long count(String metric) {
            return metrics.counter("leases." + metric).getCount();
        }

        @Override
        public void close() {
            coordinator.close();
        }
    }

    @AfterEach
    void close() {
        nodes.forEach(Node::close);
    }

    /** Counts, and watches that nobody else is asked for the same key at the time. */
    private String slowly(String key, long millis) throws InterruptedException {
        calls.incrementAndGet();
        AtomicInteger now = underWay.computeIfAbsent(key, same -> new AtomicInteger());
        most.accumulateAndGet(now.incrementAndGet(), Math::max);
        try {
            TimeUnit.MILLISECONDS.sleep(millis); // what an origin does
            return "value of " + key;
        } finally {
            now.decrementAndGet();
        }
    }

    private static CacheKey key(String key) {
        return CacheKey.of("quotes", key);
    }

    private String owner(String key) {
        return remote.leases().owner(key(key));
    }

    private void oneLoads(boolean hears) {
        List<Node> three = List.of(new Node(hears), new Node(hears), new Node(hears));
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            answers.add(three.get(i % 3).get("hot", key -> slowly(key, 300)));
        }
        answers.forEach(answer ->
                assertThat(answer.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo("value of hot"));
        assertThat(calls).as("calls of the origin").hasValue(1);
        assertThat(three.stream().mapToLong(node -> node.count("shared")).sum()).isEqualTo(2);
        await().untilAsserted(() -> assertThat(owner("hot")).isNull());
        // What the others waited for is in their L1 now.
        three.forEach(node -> assertThat(node.cache("quotes").get("hot")).isNotNull());
    }

    @Test
    @Tag("F63")
    void oneNodeLoadsAndTheOthersAreToldWhenItIsThere() {
        oneLoads(true);
    }

    @Test
    @Tag("F63")
    void withoutABackplaneTheOthersLookForIt() {
        oneLoads(false);
    }

    @Test
    void afterALoadThatFailedTheNextNodeTriesOneAfterTheOther() {
        List<Node> three = List.of(new Node(true), new Node(true), new Node(true));
        List<CompletableFuture<String>> answers = new ArrayList<>();
        three.forEach(node -> answers.add(node.get("bad", key -> {
            slowly(key, 100);
            throw new IllegalStateException("origin is down");
        })));
        answers.forEach(answer -> assertThatThrownBy(
                        () -> answer.orTimeout(20, TimeUnit.SECONDS).join())
                .hasCauseInstanceOf(LoaderException.class)
                .hasRootCauseMessage("origin is down"));
        assertThat(calls).hasValue(3);
        assertThat(most).hasValue(1);
        await().untilAsserted(() -> assertThat(owner("bad")).isNull());
    }

    @Test
    void theLeaseOfADeadNodeIsTakenOverInLessThanASecond() {
        Node node = new Node(true);
        remote.leases().claim(new LeaseStore.Claim(key("k"), "a node that died", FleetTurns.LEASE, null));
        long started = System.nanoTime();
        assertThat(node.get("k", key -> slowly(key, 0))
                        .orTimeout(20, TimeUnit.SECONDS)
                        .join())
                .isEqualTo("value of k");
        assertThat(Duration.ofNanos(System.nanoTime() - started))
                .isGreaterThan(FleetTurns.LEASE.minusMillis(50))
                .isLessThan(Duration.ofSeconds(1));
        assertThat(node.count("waited")).isEqualTo(1);
    }

    @Test
    void aLeaseIsKeptForAsLongAsTheLoaderTakes() throws Exception {
        Node one = new Node(false);
        Node two = new Node(false);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> first = one.get("slow", key -> {
            assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
            return "from one";
        });
        await().until(() -> owner("slow") != null);
        String owner = owner("slow");
        CompletableFuture<String> second = two.get("slow", key -> slowly(key, 0));
        long until = System.nanoTime() + FleetTurns.LEASE.multipliedBy(2).toNanos();
        await().atMost(PATIENCE).until(() -> System.nanoTime() > until);
        assertThat(owner("slow")).isEqualTo(owner);
        assertThat(two.cache("quotes").explain("slow").decision())
                .contains("waits for the load that holds the lease, " + owner);
        assertThat(one.cache("quotes").explain("slow").decision())
                .contains("this node holds the lease")
                .contains("origin 'quotes': 1 calls under way");
        goOn.countDown();
        assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("from one");
        assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("from one");
        assertThat(calls).hasValue(0);
    }

    @Test
    void loadsOfManyKeysShareTheirLeasesWithoutWaitingForEachOther() {
        List<Node> three = List.of(new Node(true), new Node(true), new Node(true));
        List<CompletableFuture<Map<String, String>>> answers = new ArrayList<>();
        for (int round = 0; round < 5; round++) {
            for (int n = 0; n < 3; n++) {
                List<String> keys = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    // Each in an order of its own.
                    keys.add("k" + (round * 4 + (i * (2 * n + 3)) % 12));
                }
                Cache<String, String> cache = three.get(n).cache("quotes");
                answers.add(cache.async()
                        .getAll(keys, asked -> {
                            Map<String, String> values = new HashMap<>();
                            for (String key : asked) {
                                values.put(key, slowly(key, 5));
                            }
                            return values;
                        })
                        .toCompletableFuture());
            }
        }
        answers.forEach(answer -> assertThat(
                        answer.orTimeout(20, TimeUnit.SECONDS).join().values())
                .allMatch(value -> value.startsWith("value of k"))
                .isNotEmpty());
        assertThat(most).hasValue(1);
        for (int i = 0; i < 40; i++) {
            String key = "k" + i;
            await().untilAsserted(() -> assertThat(owner(key)).isNull());
        }
    }

    @Test
    void withoutAnAnswerOfL2EveryNodeLoadsForItself() {
        Node one = new Node(false);
        Node two = new Node(false);
        remote.leases().setAway(true);
        CompletableFuture<String> first = one.get("k", key -> slowly(key, 100));
        CompletableFuture<String> second = two.get("k", key -> slowly(key, 100));
        assertThat(first.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo("value of k");
        assertThat(second.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo("value of k");
        assertThat(calls).hasValue(2);
        assertThat(one.count("without") + two.count("without")).isEqualTo(2);
    }

    @Test
    void cheapLoadersAskForNoLease() {
        Node node = new Node(false);
        assertThat(node.cache("cheap").get("k", key -> "v")).isEqualTo("v");
        assertThat(remote.leases().claims()).isZero();
        assertThat(node.cache("quotes").get("k", key -> "v")).isEqualTo("v");
        assertThat(remote.leases().claims()).isEqualTo(1);
    }

    @Test
    void aWriteWhileOthersLoadEndsTheWaitAndWins() throws Exception {
        Node one = new Node(true);
        Node two = new Node(true);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> first = one.get("k", key -> {
            assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
            return "loaded";
        });
        await().until(() -> owner("k") != null);
        CompletableFuture<String> second = two.get("k", key -> slowly(key, 0));
        Node three = new Node(true);
        three.cache("quotes").put("k", "written");
        assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("written");
        goOn.countDown();
        first.get(20, TimeUnit.SECONDS);
        await().untilAsserted(() -> assertThat(one.cache("quotes").get("k")).isEqualTo("written"));
        assertThat(calls).hasValue(0);
    }
}
