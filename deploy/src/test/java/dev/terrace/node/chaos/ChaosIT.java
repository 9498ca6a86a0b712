package dev.terrace.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Rung;
import dev.terrace.api.Source;
import dev.terrace.config.ServerSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.cli.Terrace;
import dev.terrace.node.embedded.EmbeddedRedis;
import dev.terrace.node.http.HttpNode;
import dev.terrace.testkit.Zipf;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code terrace chaos} against a running node with an embedded Redis and a real RocksDB. */
class ChaosIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private static Settings settings(EmbeddedRedis redis, Path backup) {
        return SettingsLoader.parse(
                        """
                        distributed_cache:
                          local_cache: {capacity: 10000, max_memory_mb: 16, ttl: 1h}
                          distributed_cache: {enabled: true, cluster_nodes: ["127.0.0.1:${PORT}"], topology: standalone,
                                              password: "${PASSWORD}", ttl: 1h}
                          backup_storage: {enabled: true, path: "${BACKUP}"}
                          failover: {hold_down: 300ms}
                          server: {port: 0, chaos: true}
                          caches:
                            users: {ttl: 1h}
                          classes:
                            - {pattern: "hot:*", class: hot, ttl: 1h}
                        """,
                        "chaos.yaml",
                        Map.of(
                                "PORT", Integer.toString(redis.port()),
                                "PASSWORD", redis.password().reveal(),
                                "BACKUP", backup.toString()))
                .settings();
    }

    /** Runs a command; its exit code first, then what it printed. */
    private static String chaos(HttpNode node, String... words) {
        List<String> line = new ArrayList<>(List.of("chaos"));
        line.addAll(List.of(words));
        line.addAll(List.of("--url", "http://127.0.0.1:" + node.port()));
        StringWriter printed = new StringWriter();
        CommandLine command = Terrace.commandLine();
        command.setOut(new PrintWriter(printed));
        command.setErr(new PrintWriter(printed));
        return command.execute(line.toArray(String[]::new)) + " " + printed;
    }

    /** Readers of one cache: keys by Zipf's law, of which the most popular tenth is the hot class. */
    private static final class Readers implements AutoCloseable {
        static final int KEYS = 1_000;
        static final int HOT = KEYS / 10;
        private static final int THREADS = 2;

        /** The hit ratio is taken of so many reads of hot keys at a time: an average over millions would hide everything. */
        private static final int WINDOW = 10_000;

        final AtomicLong hotReads = new AtomicLong();
        final AtomicLong hotLoads = new AtomicLong();
        private final AtomicLong windowLoads = new AtomicLong();
        private final AtomicLong worstWindowLoads = new AtomicLong();
        final AtomicReference<Throwable> failed = new AtomicReference<>();
        private final AtomicBoolean stop = new AtomicBoolean();
        private final List<Thread> threads = new ArrayList<>();
        private final Cache<String, String> users;

        Readers(Cache<String, String> users, long seed) {
            this.users = users;
            Zipf popularity = new Zipf(KEYS, 1.1);
            SplittableRandom seeds = new SplittableRandom(seed);
            for (int i = 0; i < THREADS; i++) {
                SplittableRandom random = seeds.split();
                Thread thread = new Thread(
                        () -> {
                            while (!stop.get()) {
                                read(popularity.rank(random));
                            }
                        },
                        "reader-" + i);
                thread.setDaemon(true);
                threads.add(thread);
            }
        }

        void read(int rank) {
            boolean hot = rank < HOT;
            try {
                ReadResult<String> read = users.read((hot ? "hot:" : "cold:") + rank, Readers::load);
                assertThat(read.value()).isEqualTo("v");
                if (hot) {
                    count(read.source() == Source.LOADER);
                }
            } catch (RuntimeException | Error e) {
                failed.compareAndSet(null, e);
            }
        }

        private void count(boolean loaded) {
            if (loaded) {
                hotLoads.incrementAndGet();
                windowLoads.incrementAndGet();
            }
            if (hotReads.incrementAndGet() % WINDOW == 0) {
                worstWindowLoads.accumulateAndGet(windowLoads.getAndSet(0), Math::max);
            }
        }

        private static String load(String key) {
            LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
            return "v";
        }

        Readers start() {
            for (int rank = 0; rank < KEYS; rank++) {
                read(rank);
            }
            hotReads.set(0);
            hotLoads.set(0);
            windowLoads.set(0);
            worstWindowLoads.set(0);
            threads.forEach(Thread::start);
            return this;
        }

        double worstHotHitRatio() {
            return 1 - (double) worstWindowLoads.get() / WINDOW;
        }

        /** Lets so many reads of hot keys pass. */
        void awaitReads(int reads) {
            long before = hotReads.get();
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(() -> hotReads.get() - before >= reads);
        }

        /** The ratio of the next so many reads of hot keys. */
        double hotHitRatioOfNext(int reads) {
            long readsBefore = hotReads.get();
            long loadsBefore = hotLoads.get();
            awaitReads(reads);
            return 1 - (double) (hotLoads.get() - loadsBefore) / (hotReads.get() - readsBefore);
        }

        @Override
        public void close() throws InterruptedException {
            stop.set(true);
            for (Thread thread : threads) {
                thread.join(PATIENCE.toMillis());
            }
        }
    }

    private static void awaitRung(CacheCoordinator node, boolean normal) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> (node.ladder().rung() == Rung.NORMAL) == normal);
    }

    @Test
    void hotKeysStayHotThroughEvictionsMassInvalidationAndTheLossOfL2() throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("ChaosIT: seed " + seed + ", replay with -Dterrace.seed=" + seed);
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder.resolve("redis"))) {
            Settings settings = settings(redis, folder.resolve("l3"));
            try (CacheCoordinator coordinator = CacheCoordinator.open(settings);
                    HttpNode node = new HttpNode(coordinator, settings.server(), null, null, redis);
                    Readers readers =
                            new Readers(coordinator.cache("users", Codecs.stringKey(), Codecs.string()), seed)) {
                node.start();
                awaitRung(coordinator, true);
                readers.start();

                assertThat(chaos(node, "evict", "--share", "30%", "--every", "100ms", "--for", "500ms", "--seed", "7"))
                        .startsWith("0 evicted");
                assertThat(chaos(node, "invalidate", "--cache", "users")).startsWith("0 invalidated users");
                readers.awaitReads(2 * Readers.WINDOW);
                assertThat(chaos(node, "invalidate")).startsWith("0 invalidated users");

                long killed = redis.pid();
                assertThat(chaos(node, "kill-l2", "--for", "1s")).startsWith("0 kill-l2");
                awaitRung(coordinator, false);
                assertThat(chaos(node, "evict", "--share", "50%")).startsWith("0 evicted");
                awaitRung(coordinator, true);
                assertThat(redis.pid()).as("another process").isNotEqualTo(killed);

                assertThat(chaos(node, "slow-l2", "--for", "10m", "--delay", "2s"))
                        .startsWith("0 slow-l2");
                assertThat(chaos(node, "kill-l2")).startsWith("1 ").contains("slow-l2 is still under way");
                awaitRung(coordinator, false);
                assertThat(chaos(node, "stop")).startsWith("0 nothing is done to L2");
                awaitRung(coordinator, true);
                assertThat(chaos(node, "invalidate")).startsWith("0 invalidated users");

                long over = System.nanoTime();
                await().atMost(PATIENCE).until(() -> readers.hotHitRatioOfNext(5_000) > 0.995);
                System.out.printf(
                        "ChaosIT: %d reads of hot keys; hit ratio of the worst 10,000 in a row: %.4f; above 0.995 again %d ms after%n",
                        readers.hotReads.get(),
                        readers.worstHotHitRatio(),
                        Duration.ofNanos(System.nanoTime() - over).toMillis());
                assertThat(readers.worstHotHitRatio()).isGreaterThan(0.95);
                assertThat(readers.hotLoads.get()).as("invalidation was felt").isPositive();
                assertThat(readers.failed.get()).isNull();
            }
        }
    }

    @Test
    void chaosIsOffUnlessAskedForAndLeavesOthersRedisAlone() {
        try (CacheCoordinator coordinator = CacheCoordinator.open(Settings.defaults())) {
            ServerSettings off = new ServerSettings("127.0.0.1", 0, null, 1 << 20);
            try (HttpNode node = new HttpNode(coordinator, off, null)) {
                node.start();
                for (String action : List.of("evict", "invalidate", "kill-l2", "slow-l2", "status", "stop")) {
                    assertThat(chaos(node, action)).startsWith("1 ").contains("chaos is off", "--chaos");
                }
            }
            try (HttpNode node = new HttpNode(coordinator, off.withChaos(true), null)) {
                node.start();
                assertThat(chaos(node, "kill-l2")).startsWith("1 ").contains("did not start its L2");
                assertThat(chaos(node, "slow-l2")).startsWith("1 ").contains("did not start its L2");
                assertThat(chaos(node, "status")).startsWith("0 nothing");
                assertThat(chaos(node, "invalidate", "--cache", "none"))
                        .startsWith("1 ")
                        .contains("no cache 'none'");
                Cache<String, String> users = coordinator.cache("users", Codecs.stringKey(), Codecs.string());
                users.put("k", "v");
                assertThat(chaos(node, "evict", "--share", "100%")).startsWith("0 evicted 1 ");
                assertThat(users.get("k")).isNull();
                for (String[] wrong : new String[][] {
                    {"burn"},
                    {"evict", "--share", "0%"},
                    {"evict", "--share", "101%"},
                    {"evict", "--share", "half"},
                    {"evict", "--for", "1s"},
                    {"evict", "--every", "often"},
                    {"kill-l2", "--every", "1s"}
                }) {
                    assertThat(chaos(node, wrong)).as(String.join(" ", wrong)).startsWith("2 ");
                }
            }
        }
    }

    @Test
    void timesOutOfBoundsAreRefused() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder.resolve("redis"))) {
            try (CacheCoordinator coordinator = CacheCoordinator.open(Settings.defaults());
                    Chaos chaos = new Chaos(coordinator, redis);
                    HttpNode node = new HttpNode(
                            coordinator,
                            new ServerSettings("127.0.0.1", 0, null, 1 << 20).withChaos(true),
                            null,
                            null,
                            redis)) {
                node.start();
                assertThat(chaos(node, "kill-l2", "--for", "1h"))
                        .startsWith("1 ")
                        .contains("10 min");
                assertThat(chaos(node, "slow-l2", "--for", "1ms"))
                        .startsWith("1 ")
                        .contains("100 ms");
                assertThat(chaos(node, "slow-l2", "--for", "1s", "--delay", "2s"))
                        .startsWith("1 ")
                        .contains("delay");
                assertThat(chaos(node, "kill-l2", "--for", "soon"))
                        .startsWith("1 ")
                        .contains("duration");
                chaos.slowRemote(Duration.ofMinutes(1), Duration.ofMinutes(1));
                assertThat(chaos.status().action()).isEqualTo("slow-l2");
                chaos.close();
                assertThat(redis.isAlive()).isTrue();
            }
        }
    }
}
