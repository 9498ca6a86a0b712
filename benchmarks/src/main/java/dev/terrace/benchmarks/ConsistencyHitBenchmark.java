package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.Consistency;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.local.ChronicleTierProvider;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A warm hit in L1 under each class of consistency: what asking for trust costs. L2 and the log are on the heap. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "-Xmx2g",
            "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED"
        })
public class ConsistencyHitBenchmark {
    private static final int ENTRIES = 100_000;
    private static final int VALUE_BYTES = 128;

    /** Where one thread is in the sequence. */
    @State(Scope.Thread)
    public static class Cursor {
        final String[] keys = Workload.keys(ENTRIES);
        final int[] sequence = Workload.zipf(ENTRIES, 1);
        int next = ThreadLocalRandom.current().nextInt(Workload.SEQUENCE);

        String key() {
            return keys[sequence[next++ & Workload.SEQUENCE - 1]];
        }
    }

    private static LocalCacheSettings localCache() {
        LocalCacheSettings defaults = LocalCacheSettings.defaults();
        return new LocalCacheSettings(
                true, 2 * ENTRIES, 200, Duration.ofDays(1), defaults.evictionPolicy(), defaults.sweepInterval());
    }

    /** Puts every key, and reads it twice, so that every tier that may hold it does. */
    private static void fill(Cache<String, byte[]> cache, Source from) {
        String[] keys = Workload.keys(ENTRIES);
        for (int i = 0; i < ENTRIES; i++) {
            cache.put(keys[i], Workload.value(VALUE_BYTES, i));
            cache.get(keys[i]);
            cache.get(keys[i]);
        }
        Source source = cache.read(keys[0]).source();
        if (source != from) {
            throw new IllegalStateException("the benchmark is to measure " + from + ", this is " + source);
        }
    }

    /** A miss would be fast and wrong. */
    private static byte[] found(byte[] value) {
        if (value == null) {
            throw new IllegalStateException("the benchmark measures hits, this was a miss");
        }
        return value;
    }

    /** A node with L1, L2 and a log. */
    @State(Scope.Benchmark)
    public static class Terrace {
        @Param({"EVENTUAL", "BOUNDED", "STRICT"})
        Consistency consistency;

        CacheCoordinator coordinator;
        Cache<String, byte[]> cache;

        @Setup(Level.Trial)
        public void open() {
            System.out.println(Figures.load());
            Settings defaults = Settings.defaults();
            Settings settings = new Settings(
                    localCache(),
                    defaults.distributedCache(),
                    defaults.backupStorage(),
                    defaults.circuitBreaker(),
                    defaults.failover(),
                    defaults.loading(),
                    defaults.limits(),
                    Map.of("bench", CachePolicy.INHERIT.withConsistency(consistency, null)),
                    defaults.classes(),
                    defaults.server());
            InstantSource clock = InstantSource.system();
            coordinator = CacheCoordinator.builder()
                    .settings(settings)
                    .tier(new ChronicleTierProvider().open(new TestContext(clock, settings.localCache())))
                    .tier(new HeapTier(TierLevel.L2, clock))
                    .backplane(new HeapLog().open())
                    .build();
            cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
            fill(cache, Source.L1);
        }

        @TearDown(Level.Trial)
        public void close() {
            System.out.println("answered by L2: "
                    + coordinator.metrics().counter("cache.bench.hits.l2").getCount() + " of "
                    + coordinator.metrics().counter("cache.bench.hits.l1").getCount() + " hits");
            coordinator.close();
        }
    }

    @Benchmark
    public byte[] hit(Terrace terrace, Cursor cursor) {
        return found(terrace.cache.get(cursor.key()));
    }
}
