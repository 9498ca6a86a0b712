package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.TIMEOUT;
import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.RedisFixture.openReady;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Commands that share round trips: what that must not change, and what it must. */
@Tag("alone")
class BatchingIT {
    private static final Duration HEALED = Duration.ofSeconds(15);
    private static final RedisKeys KEYS = new RedisKeys("test");

    /** A tier and a look at its round trips. */
    private record Watched(RedisTier tier, MetricRegistry metrics) implements AutoCloseable {
        /** With a deadline that a busy machine keeps: what is tested is not time. */
        static Watched open(int... ports) {
            return open(RedisFixture.settings(ports).withTimeout(Duration.ofSeconds(4)));
        }

        /** With the short deadline of tests about time. */
        static Watched openBrisk(int port) {
            return open(RedisFixture.settings(port));
        }

        private static Watched open(DistributedCacheSettings settings) {
            MetricRegistry metrics = new MetricRegistry();
            return new Watched(openReady(settings, InstantSource.system(), metrics), metrics);
        }

        long batches() {
            return gauge("l2.batches");
        }

        long commands() {
            return gauge("l2.batched_commands");
        }

        private long gauge(String name) {
            Gauge<?> gauge = metrics.getGauges().get(name);
            return ((Number) gauge.getValue()).longValue();
        }

        @Override
        public void close() {
            tier.close();
        }
    }

    private static List<CompletableFuture<Lookup>> gets(RedisTier tier, String prefix, int count) {
        List<CompletableFuture<Lookup>> gets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            gets.add(tier.get(key(prefix + i)).toCompletableFuture());
        }
        return gets;
    }

    private static <T> void allDone(List<CompletableFuture<T>> calls) {
        answer(CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new)));
    }

    @Test
    void aLoneCallerIsSentAtOnceAndAlone() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            for (int i = 0; i < 50; i++) {
                assertThat(put(watched.tier(), entry("a" + i))).isEqualTo(StoreOutcome.APPLIED);
                assertThat(get(watched.tier(), "a" + i)).isInstanceOf(Lookup.Hit.class);
            }
            assertThat(watched.commands()).isEqualTo(100);
            assertThat(watched.batches()).as("each by itself").isEqualTo(100);
        }
    }

    @Test
    void whatComesWhileABatchIsUnderWayGoesTogether() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port());
                Watched watched = Watched.open(proxy.port())) {
            assertThat(put(watched.tier(), entry("b0"))).isEqualTo(StoreOutcome.APPLIED);
            long before = watched.batches();
            proxy.delay(TIMEOUT.dividedBy(10));
            List<CompletableFuture<Lookup>> gets = gets(watched.tier(), "b", 200);
            allDone(gets);
            assertThat(gets.get(0).join()).isInstanceOf(Lookup.Hit.class);
            assertThat(gets.get(1).join()).isEqualTo(Lookup.MISS);
            // The first of each lane by itself, the rest in one more; half a dozen if this thread was held up
            // meanwhile.
            assertThat(watched.batches() - before).isLessThanOrEqualTo(3L * 2 * Lanes.PER_SERVER);
        }
    }

    @Test
    void commandsOfOneKeyAreExecutedInTheOrderInWhichTheyWereGiven() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
            List<CompletableFuture<Lookup>> gets = new ArrayList<>();
            for (int i = 1; i <= 500; i++) {
                puts.add(watched.tier()
                        .put(entry("o" + i % 7, i), WriteCondition.IF_NEWER)
                        .toCompletableFuture());
                gets.add(watched.tier().get(key("o" + i % 7)).toCompletableFuture());
            }
            allDone(puts);
            allDone(gets);
            assertThat(puts).allSatisfy(put -> assertThat(put.join()).isEqualTo(StoreOutcome.APPLIED));
            for (int i = 1; i <= 500; i++) {
                Lookup seen = gets.get(i - 1).join();
                assertThat(seen).isInstanceOf(Lookup.Hit.class);
                assertThat(((Lookup.Hit) seen).entry().version().counter()).isEqualTo(i);
            }
            assertThat(watched.batches()).isLessThan(watched.commands());
        }
    }

    @Test
    void sixtyFourThreadsSeeWhatTheirOwnWritesLeft() throws Exception {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            agreesWithModels(watched);
            assertThat(watched.batches())
                    .as("round trips for %s commands", watched.commands())
                    .isLessThan(watched.commands() / 2);
        }
    }

    @Test
    void inAClusterTooOverAllPrimaries() throws Exception {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(3);
                Watched watched = Watched.open(
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray())) {
            agreesWithModels(watched);
            assertThat(watched.batches()).isLessThan(watched.commands());
            assertThat(cluster.nodes())
                    .allSatisfy(node -> assertThat(node.command("DBSIZE")).isNotEqualTo(":0"));
            oneFrozenPrimaryCostsItsOwnKeysOnly(cluster, watched.tier());
        }
    }

    /** Every thread writes keys of its own, with mixed operations, and compares with a map. */
    private static void agreesWithModels(Watched watched) throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("BatchingIT seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        int threads = 64;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            CountDownLatch begin = new CountDownLatch(1);
            List<Future<Void>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                SplittableRandom random = new SplittableRandom(seed * 31 + i * 0x1234567L);
                String mine = "t" + i + "-";
                running.add(pool.submit((Callable<Void>) () -> {
                    begin.await();
                    mixed(watched.tier(), random, mine);
                    return null;
                }));
            }
            begin.countDown();
            for (Future<Void> thread : running) {
                thread.get(60, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static void mixed(RedisTier tier, SplittableRandom random, String mine) {
        Map<String, Version> model = new HashMap<>();
        int counter = 0;
        for (int i = 0; i < 150; i++) {
            String name = mine + random.nextInt(5);
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    Entry written = entry(name, ++counter);
                    assertThat(put(tier, written)).isEqualTo(StoreOutcome.APPLIED);
                    model.put(name, written.version());
                }
                case 2 -> {
                    Version held = model.get(name);
                    Entry written = entry(name, ++counter);
                    StoreOutcome outcome = answer(tier.put(written, WriteCondition.IF_ABSENT));
                    assertThat(outcome)
                            .isEqualTo(held == null ? StoreOutcome.APPLIED : new StoreOutcome.Superseded(held));
                    model.putIfAbsent(name, written.version());
                }
                case 3 -> {
                    List<CacheKey> all = List.of(key(mine + 0), key(mine + 1), key(mine + 2), key(mine + 3));
                    answer(tier.getAll(all)).forEach((key, found) -> {
                        Version held = model.get(new String(key.keyBytes(), StandardCharsets.UTF_8));
                        assertThat(versionOf(found)).isEqualTo(held);
                    });
                }
                default -> assertThat(versionOf(get(tier, name))).isEqualTo(model.get(name));
            }
        }
    }

    private static Version versionOf(Lookup found) {
        assertThat(found).isNotInstanceOf(Lookup.Unavailable.class);
        return found instanceof Lookup.Hit hit ? hit.entry().version() : null;
    }

    private static void oneFrozenPrimaryCostsItsOwnKeysOnly(RedisClusterProcesses cluster, RedisTier tier) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            entries.add(entry("frozen" + i));
        }
        assertThat(answer(tier.putAll(entries))).containsOnly(StoreOutcome.APPLIED);
        cluster.nodes().get(0).freeze();
        try {
            Map<CacheKey, Lookup> all =
                    answer(tier.getAll(entries.stream().map(Entry::key).toList()));
            assertThat(all).hasSize(60);
            assertThat(all.values().stream()
                            .filter(Lookup.Hit.class::isInstance)
                            .count())
                    .isBetween(20L, 59L);
            // Its connections are given up by Redisson's own pings when that is sooner than the deadline.
            assertThat(all.values().stream().filter(Lookup.Unavailable.class::isInstance))
                    .isNotEmpty()
                    .allSatisfy(found -> assertThat(((Lookup.Unavailable) found).cause())
                            .isIn(Unavailability.TIMEOUT, Unavailability.DISCONNECTED));
        } finally {
            cluster.nodes().get(0).thaw();
        }
    }

    @Test
    void anErrorOfOneCommandIsItsOwn() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port());
                Watched watched = Watched.open(proxy.port())) {
            assertThat(put(watched.tier(), entry("e0"))).isEqualTo(StoreOutcome.APPLIED);
            for (int i = 1; i < 100; i += 2) {
                redis.command("LPUSH", KEYS.of(key("e" + i)), "not a string");
            }
            proxy.delay(TIMEOUT.dividedBy(10));
            List<CompletableFuture<Lookup>> gets = gets(watched.tier(), "e", 100);
            List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                puts.add(watched.tier()
                        .put(entry("e" + i, 2), WriteCondition.IF_NEWER)
                        .toCompletableFuture());
            }
            allDone(gets);
            allDone(puts);
            for (int i = 0; i < 100; i++) {
                boolean broken = i % 2 == 1;
                Class<?> read = broken ? Lookup.Unavailable.class : i == 0 ? Lookup.Hit.class : Lookup.Miss.class;
                assertThat(gets.get(i).join()).as("get %s", i).isInstanceOf(read);
                assertThat(puts.get(i).join())
                        .as("put %s", i)
                        .isInstanceOf(broken ? StoreOutcome.Unavailable.class : StoreOutcome.Applied.class);
                if (broken) {
                    assertThat(((StoreOutcome.Unavailable) puts.get(i).join()).cause())
                            .isEqualTo(Unavailability.ERROR);
                }
            }
            assertThat(watched.batches()).isLessThan(watched.commands() / 4);
        }
    }

    @Test
    void inAFullServerReadsGoOnAmongRefusedWrites() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            assertThat(put(watched.tier(), entry("f0"))).isEqualTo(StoreOutcome.APPLIED);
            redis.command("CONFIG", "SET", "maxmemory", "1");
            List<CompletableFuture<Lookup>> gets = gets(watched.tier(), "f", 50);
            List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                puts.add(watched.tier()
                        .put(entry("f" + i, 2), WriteCondition.IF_NEWER)
                        .toCompletableFuture());
                gets.add(watched.tier().get(key("f0")).toCompletableFuture());
            }
            allDone(gets);
            allDone(puts);
            assertThat(gets).allSatisfy(get -> assertThat(get.join()).isNotInstanceOf(Lookup.Unavailable.class));
            assertThat(puts)
                    .allSatisfy(put -> assertThat(((StoreOutcome.Unavailable) put.join()).detail())
                            .contains("OOM"));
        }
    }

    @Test
    void aServerThatLostItsScriptsGetsThemAgainForAWholeBatch() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            redis.command("SCRIPT", "FLUSH");
            List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                puts.add(watched.tier()
                        .put(entry("s" + i), WriteCondition.IF_NEWER)
                        .toCompletableFuture());
            }
            allDone(puts);
            assertThat(puts).allSatisfy(put -> assertThat(put.join()).isEqualTo(StoreOutcome.APPLIED));
        }
    }

    @Test
    void aServerFrozenMidBatchHoldsNobodyLongerThanTheDeadlineAndNothingIsPinned() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.openBrisk(redis.port())) {
            assertThat(put(watched.tier(), entry("g0"))).isEqualTo(StoreOutcome.APPLIED);
            AtomicInteger late = new AtomicInteger();
            List<CompletableFuture<Lookup>> gets = gets(watched.tier(), "g", 500);
            redis.freeze();
            long begin = System.nanoTime();
            try {
                gets.addAll(gets(watched.tier(), "g", 2_000));
                long sent = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
                allDone(gets);
                long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
                assertThat(took).isLessThan(sent + TIMEOUT.toMillis() + 250);
            } finally {
                redis.thaw();
            }
            for (CompletableFuture<Lookup> get : gets) {
                if (get.join() instanceof Lookup.Unavailable no) {
                    assertThat(no.cause()).isIn(Unavailability.TIMEOUT, Unavailability.DISCONNECTED);
                    late.incrementAndGet();
                }
            }
            assertThat(late.get()).isGreaterThanOrEqualTo(2_000);
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(get(watched.tier(), "g0")).isInstanceOf(Lookup.Hit.class));
            await().atMost(HEALED)
                    .untilAsserted(
                            () -> assertThat(watched.gauge("l2.inflight")).isZero());
        }
    }

    @Test
    void aServerKilledMidBatchIsReportedAtOnceAndOnlyWhatItAnsweredIsAnswered() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port());
                Watched watched = Watched.openBrisk(proxy.port())) {
            assertThat(put(watched.tier(), entry("k0"))).isEqualTo(StoreOutcome.APPLIED);
            proxy.mode(TcpProxy.Mode.LOSE_ANSWERS);
            List<CompletableFuture<Lookup>> gets = gets(watched.tier(), "k", 300);
            List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                puts.add(watched.tier()
                        .put(entry("k" + i, 2), WriteCondition.IF_NEWER)
                        .toCompletableFuture());
            }
            redis.kill();
            proxy.cut();
            allDone(gets);
            allDone(puts);
            assertThat(gets)
                    .allSatisfy(get -> assertThat(((Lookup.Unavailable) get.join()).cause())
                            .isIn(Unavailability.TIMEOUT, Unavailability.DISCONNECTED));
            assertThat(puts)
                    .allSatisfy(put -> assertThat(((StoreOutcome.Unavailable) put.join()).cause())
                            .isIn(Unavailability.TIMEOUT, Unavailability.DISCONNECTED));
            proxy.mode(TcpProxy.Mode.PASS);
            redis.restart();
            await().atMost(HEALED)
                    .untilAsserted(() ->
                            assertThat(put(watched.tier(), entry("k0", 3))).isEqualTo(StoreOutcome.APPLIED));
            assertThat(get(watched.tier(), "k1"))
                    .as("never executed twice, nor late")
                    .isEqualTo(Lookup.MISS);
        }
    }

    @Test
    void manyKeysAtOnceAreAnsweredInTheirPlaces() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            List<Entry> entries = new ArrayList<>();
            List<CacheKey> asked = new ArrayList<>();
            for (int i = 0; i < 1_201; i++) {
                asked.add(key("m" + i));
                if (i % 3 != 0) {
                    entries.add(entry("m" + i, i));
                }
            }
            assertThat(answer(watched.tier().putAll(entries))).containsOnly(StoreOutcome.APPLIED);
            redis.command("LPUSH", KEYS.of(key("m0")), "not a string");
            Map<CacheKey, Lookup> found = answer(watched.tier().getAll(asked));
            assertThat(found).hasSize(1_201);
            for (int i = 0; i < 1_201; i++) {
                Version version = versionOf(found.get(asked.get(i)));
                assertThat(version == null ? 0 : version.counter()).isEqualTo(i % 3 == 0 ? 0 : i);
            }
        }
    }

    @Test
    void aHugeValueGoesWithoutCompany() {
        try (RedisProcess redis = RedisProcess.start();
                Watched watched = Watched.open(redis.port())) {
            long now = InstantSource.system().millis();
            List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
            String huge = "x".repeat(2 * Lane.MOST_BYTES);
            for (int i = 0; i < 40; i++) {
                Entry next = i % 10 == 5
                        ? Entries.value(key("h" + i), Entries.version(now, 1), now, Duration.ofMinutes(1), huge)
                        : entry("h" + i);
                puts.add(watched.tier().put(next, WriteCondition.IF_NEWER).toCompletableFuture());
            }
            List<CompletableFuture<Lookup>> gets = gets(watched.tier(), "h", 40);
            allDone(puts);
            allDone(gets);
            assertThat(puts).allSatisfy(put -> assertThat(put.join()).isEqualTo(StoreOutcome.APPLIED));
            for (int i = 0; i < 40; i++) {
                Lookup found = gets.get(i).join();
                assertThat(found).isInstanceOf(Lookup.Hit.class);
                assertThat(((Lookup.Hit) found).entry().payload().length >= huge.length())
                        .isEqualTo(i % 10 == 5);
            }
        }
    }
}
