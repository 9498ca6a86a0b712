package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import net.openhft.chronicle.map.ChronicleMap;
import org.ehcache.CacheManager;
import org.ehcache.config.builders.CacheConfigurationBuilder;
import org.ehcache.config.builders.CacheManagerBuilder;
import org.ehcache.config.builders.ResourcePoolsBuilder;
import org.ehcache.config.units.MemoryUnit;
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

/** A warm hit in the local tier: the whole coordinator beside a raw Chronicle Map and Ehcache's off-heap tier. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 2,
        jvmArgsAppend = {
            "-Xmx2g",
            "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
            "-XX:MaxDirectMemorySize=4g"
        })
public class LocalHitBenchmark {
    /** What all contenders share. */
    @State(Scope.Benchmark)
    public static class Shape {
        @Param("1000000")
        int entries;

        @Param({"128", "1024"})
        int valueBytes;

        String[] keys;
        int[] sequence;

        @Setup(Level.Trial)
        public void prepare() {
            keys = Workload.keys(entries);
            sequence = Workload.zipf(entries, 1);
        }

        String key(Cursor cursor) {
            return keys[sequence[cursor.next++ & Workload.SEQUENCE - 1]];
        }
    }

    /** Where one thread is in the sequence. */
    @State(Scope.Thread)
    public static class Cursor {
        int next = ThreadLocalRandom.current().nextInt(Workload.SEQUENCE);
    }

    /** Terrace with its local tier only. */
    @State(Scope.Benchmark)
    public static class Terrace {
        CacheCoordinator coordinator;
        Cache<String, byte[]> cache;

        @Setup(Level.Trial)
        public void open(Shape shape) {
            Settings defaults = Settings.defaults();
            LocalCacheSettings local = defaults.localCache();
            coordinator = CacheCoordinator.open(new Settings(
                    new LocalCacheSettings(
                            true,
                            shape.entries + shape.entries / 4,
                            // Twice what the entries take, so that nothing is evicted while they are put in.
                            (2L * shape.entries * (shape.valueBytes + 256)) >> 20,
                            Duration.ofDays(1),
                            local.evictionPolicy(),
                            local.sweepInterval()),
                    defaults.distributedCache(),
                    defaults.backupStorage(),
                    defaults.circuitBreaker(),
                    defaults.failover(),
                    defaults.loading(),
                    defaults.limits(),
                    defaults.caches(),
                    defaults.classes(),
                    defaults.server()));
            cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
            for (int i = 0; i < shape.entries; i++) {
                cache.put(shape.keys[i], Workload.value(shape.valueBytes, i));
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            coordinator.close();
        }
    }

    /** A bare Chronicle Map of the same shape. */
    @State(Scope.Benchmark)
    public static class Chronicle {
        ChronicleMap<String, byte[]> map;

        @Setup(Level.Trial)
        public void open(Shape shape) {
            System.setProperty("chronicle.analytics.disable", "true");
            System.setProperty("chronicle.announcer.disable", "true");
            map = ChronicleMap.of(String.class, byte[].class)
                    .entries(shape.entries)
                    .averageKeySize(16)
                    .constantValueSizeBySample(new byte[shape.valueBytes])
                    .create();
            for (int i = 0; i < shape.entries; i++) {
                map.put(shape.keys[i], Workload.value(shape.valueBytes, i));
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            map.close();
        }
    }

    /** Ehcache 3 with an off-heap tier only. */
    @State(Scope.Benchmark)
    public static class Ehcache {
        CacheManager manager;
        org.ehcache.Cache<String, byte[]> cache;

        @Setup(Level.Trial)
        public void open(Shape shape) {
            manager = CacheManagerBuilder.newCacheManagerBuilder()
                    .withCache(
                            "bench",
                            CacheConfigurationBuilder.newCacheConfigurationBuilder(
                                    String.class,
                                    byte[].class,
                                    ResourcePoolsBuilder.newResourcePoolsBuilder()
                                            .offheap(3, MemoryUnit.GB)))
                    .build(true);
            cache = manager.getCache("bench", String.class, byte[].class);
            for (int i = 0; i < shape.entries; i++) {
                cache.put(shape.keys[i], Workload.value(shape.valueBytes, i));
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            manager.close();
        }
    }

    @Benchmark
    public byte[] terrace(Shape shape, Terrace terrace, Cursor cursor) {
        return found(terrace.cache.get(shape.key(cursor)));
    }

    @Benchmark
    public byte[] rawChronicle(Shape shape, Chronicle chronicle, Cursor cursor) {
        return found(chronicle.map.get(shape.key(cursor)));
    }

    @Benchmark
    public byte[] ehcacheOffHeap(Shape shape, Ehcache ehcache, Cursor cursor) {
        return found(ehcache.cache.get(shape.key(cursor)));
    }

    /** A miss would be fast and wrong. */
    private static byte[] found(byte[] value) {
        if (value == null) {
            throw new IllegalStateException("the benchmark measures hits, this was a miss");
        }
        return value;
    }
}
