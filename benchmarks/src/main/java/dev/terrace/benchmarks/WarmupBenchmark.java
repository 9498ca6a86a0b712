package dev.terrace.benchmarks;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.WarmupPlan;
import dev.terrace.core.WarmupReport;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierProvider;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.tier.redis.RedisTierProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import net.openhft.chronicle.map.ChronicleMap;
import org.redisson.Redisson;
import org.redisson.api.BatchOptions;
import org.redisson.api.RBatch;
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;

/**
 * Warm-ups from L3 beside what they are made of: into L1, a loop of two threads over L3 that puts each envelope into a bare Chronicle Map;
 * into L2, batches of Redisson (RBatch) of the same set-if-newer script from the same records. By turns, in one process, on one Redis;
 * prints entries per second of each round and the ratio of the medians.
 *
 * <p>Arguments: {@code ENTRIES ROUNDS}; JSON values of about 1 KiB.
 */
public final class WarmupBenchmark {
    private static final String CACHE = "bench";
    private static final int BATCH = 500;
    private static final int BATCHES_UNDER_WAY = 2;
    private static final int THREADS =
            Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors()));
    private static final Duration CONNECTS_WITHIN = Duration.ofSeconds(20);
    private static final long DAY_MILLIS = TimeUnit.DAYS.toMillis(1);

    private final int entries;
    private final Settings settings;
    private final RedisProcess redis;

    private WarmupBenchmark(int entries, Path folder, RedisProcess redis) {
        this.entries = entries;
        this.redis = redis;
        Settings d = Settings.defaults();
        LocalCacheSettings l1 = d.localCache();
        BackupStorageSettings l3 = d.backupStorage();
        this.settings = d.withLocalCache(new LocalCacheSettings(
                        true,
                        entries + entries / 10L,
                        Math.max(64, (int) (entries * 2_500L >> 20)),
                        Duration.ofHours(1),
                        l1.evictionPolicy(),
                        l1.sweepInterval()))
                .withBackupStorage(new BackupStorageSettings(
                        true,
                        l3.backend(),
                        folder,
                        true,
                        false,
                        null,
                        l3.keystoreAlias(),
                        null,
                        l3.retention(),
                        false,
                        Duration.ofSeconds(60),
                        l3.queueEntries(),
                        l3.queueMib()));
    }

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        int entries = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 200_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
        Path folder = Files.createTempDirectory("terrace-warmup");
        try (RedisProcess redis = RedisProcess.start()) {
            WarmupBenchmark benchmark = new WarmupBenchmark(entries, folder.resolve("backup"), redis);
            benchmark.fill();
            System.out.println(Figures.load());
            List<Double> bareLocal = new ArrayList<>();
            List<Double> local = new ArrayList<>();
            List<Double> bareRemote = new ArrayList<>();
            List<Double> remote = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                bareLocal.add(benchmark.bareLocal());
                local.add(benchmark.warmUp(false));
                bareRemote.add(benchmark.bareRemote());
                remote.add(benchmark.warmUp(true));
            }
            System.out.println(Figures.load());
            print("into L1", bareLocal, local);
            print("into L2", bareRemote, remote);
        } finally {
            try (Stream<Path> all = Files.walk(folder)) {
                all.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        }
    }

    private static void print(String what, List<Double> bare, List<Double> ours) {
        System.out.printf(
                "%s: bare %s  warm-up %s entries/s  ratio %.2f%n",
                what, figures(bare), figures(ours), median(ours) / median(bare));
    }

    private static String figures(List<Double> all) {
        return all.stream().map(one -> String.format("%,.0f", one)).toList().toString();
    }

    private static double median(List<Double> all) {
        return all.stream().sorted().toList().get(all.size() / 2);
    }

    private ScannableTier openBackup() {
        TierContext context = new TestContext(InstantSource.system(), settings.backupStorage(), settings);
        return (ScannableTier) ServiceLoader.load(TierProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(provider -> provider.name().equals("rocksdb"))
                .findFirst()
                .orElseThrow()
                .open(context);
    }

    private void fill() throws InterruptedException {
        HybridClock clock = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));
        try (ScannableTier backup = openBackup()) {
            for (int from = 0; from < entries; from += BATCH) {
                List<Entry> some = new ArrayList<>();
                long now = clock.millis();
                for (int i = from; i < Math.min(entries, from + BATCH); i++) {
                    CacheKey key = CacheKey.of(CACHE, String.format("customer:%012d", i));
                    some.add(new Entry(
                            key,
                            EntryKind.VALUE,
                            clock.next(),
                            now,
                            now + DAY_MILLIS,
                            now + DAY_MILLIS,
                            List.of(),
                            value(i)));
                }
                List<StoreOutcome> outcomes =
                        backup.putAll(some).toCompletableFuture().join();
                if (!outcomes.stream().allMatch(StoreOutcome.Applied.class::isInstance)) {
                    throw new IllegalStateException("L3 did not take all: " + outcomes.get(0));
                }
            }
        }
    }

    private static byte[] value(int i) {
        StringBuilder json = new StringBuilder("{\"id\":").append(i).append(",\"orders\":[");
        SplittableRandom random = new SplittableRandom(i);
        while (json.length() < 1_000) {
            json.append("{\"sku\":\"A-")
                    .append(random.nextInt(100_000))
                    .append("\",\"quantity\":")
                    .append(random.nextInt(10))
                    .append(",\"price\":")
                    .append(random.nextInt(10_000) / 100.0)
                    .append("},");
        }
        json.setCharAt(json.length() - 1, ']');
        return json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    }

    /** What each thread does with the entries of its parts. */
    private interface Sink extends AutoCloseable {
        void take(Entry entry);

        @Override
        default void close() {}
    }

    private double loop(ScannableTier backup, Supplier<Sink> sinks) throws InterruptedException {
        AtomicLong count = new AtomicLong();
        long started = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            int part = t;
            Thread thread = new Thread(() -> {
                try (Sink sink = sinks.get()) {
                    backup.scan(part, THREADS, entry -> {
                        sink.take(entry);
                        count.incrementAndGet();
                        return true;
                    });
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return rate(count.get(), started);
    }

    private double rate(long count, long started) {
        if (count != entries) {
            throw new IllegalStateException(count + " of " + entries + " entries were copied");
        }
        return count / ((System.nanoTime() - started) / 1e9);
    }

    private double bareLocal() throws Exception {
        try (ScannableTier backup = openBackup();
                ChronicleMap<byte[], byte[]> map = ChronicleMap.of(byte[].class, byte[].class)
                        .name("bare")
                        .averageKeySize(28)
                        .averageValueSize(1_150)
                        .entries(entries + entries / 10L)
                        .putReturnsNull(true)
                        .create()) {
            return loop(backup, () -> entry -> map.put(entry.key().nameAndKey(), Envelope.encode(entry)));
        }
    }

    private static String script() throws IOException {
        try (InputStream in = RedisTierProvider.class.getResourceAsStream("store-v1.lua")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private double bareRemote() throws Exception {
        redis.command("FLUSHALL");
        Config config = new Config().setCodec(ByteArrayCodec.INSTANCE);
        config.useSingleServer().setAddress("redis://127.0.0.1:" + redis.port());
        RedissonClient redisson = Redisson.create(config);
        try (ScannableTier backup = openBackup()) {
            String sha = redisson.getScript(StringCodec.INSTANCE).scriptLoad(script());
            return loop(backup, () -> new BareBatches(redisson, sha));
        } finally {
            redisson.shutdown();
        }
    }

    /** Batches of Redisson, as many under way as a worker of a warm-up has. */
    private static final class BareBatches implements Sink {
        private final RedissonClient redisson;
        private final String sha;
        private final Queue<CompletableFuture<?>> underWay = new ArrayDeque<>();
        private RBatch batch;
        private int size;

        BareBatches(RedissonClient redisson, String sha) {
            this.redisson = redisson;
            this.sha = sha;
            this.batch = redisson.createBatch(BatchOptions.defaults());
        }

        @Override
        public void take(Entry entry) {
            long now = System.currentTimeMillis();
            String key = "terrace:" + entry.key();
            batch.getScript(ByteArrayCodec.INSTANCE)
                    .evalShaAsync(
                            key,
                            RScript.Mode.READ_WRITE,
                            sha,
                            RScript.ReturnType.VALUE,
                            List.of(key),
                            new byte[] {'N'},
                            Envelope.encode(entry),
                            Long.toString(entry.staleUntilMillis() - now).getBytes(StandardCharsets.US_ASCII),
                            Long.toString(now).getBytes(StandardCharsets.US_ASCII),
                            new byte[0]);
            if (++size == BATCH) {
                send();
            }
        }

        private void send() {
            underWay.add(batch.executeAsync().toCompletableFuture());
            batch = redisson.createBatch(BatchOptions.defaults());
            size = 0;
            if (underWay.size() > BATCHES_UNDER_WAY) {
                underWay.remove().join();
            }
        }

        @Override
        public void close() {
            if (size > 0) {
                send();
            }
            underWay.forEach(CompletableFuture::join);
        }
    }

    private static boolean isReady(CacheCoordinator coordinator) {
        return coordinator.tiers().stream().allMatch(tier -> tier.state() == TierStatus.State.READY);
    }

    /** A warm-up into L1 alone, or into L2 alone. */
    private double warmUp(boolean remote) throws Exception {
        redis.command("FLUSHALL");
        DistributedCacheSettings l2 = DistributedCacheSettings.defaults();
        Settings own = remote
                ? settings.withDistributedCache(l2.at(l2.topology(), new HostAndPort("127.0.0.1", redis.port()))
                        .withTimeout(Duration.ofSeconds(5)))
                : settings;
        try (CacheCoordinator coordinator = CacheCoordinator.builder()
                .settings(own)
                .metrics(new MetricRegistry())
                .build()) {
            Pace.await(() -> isReady(coordinator), CONNECTS_WITHIN);
            if (!isReady(coordinator)) {
                throw new IllegalStateException("not ready within " + CONNECTS_WITHIN + ": " + coordinator.tiers());
            }
            WarmupPlan plan = new WarmupPlan(Set.of(CACHE), Long.MAX_VALUE, 100_000_000, !remote);
            long started = System.nanoTime();
            WarmupReport report = coordinator.warmUp(plan, progress -> {});
            return rate(report.progress().copied(), started);
        }
    }
}
