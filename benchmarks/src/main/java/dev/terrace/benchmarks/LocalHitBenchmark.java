package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
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
        jvmArgsAppend = {WarmHits.HEAP, "-XX:MaxDirectMemorySize=4g"})
public class LocalHitBenchmark extends ChronicleBenchmark {
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
            coordinator = CacheCoordinator.open(WarmHits.settings(
                    shape.entries + shape.entries / 4,
                    // Twice what the entries take, so that nothing is evicted while they are put in.
                    (2L * shape.entries * (shape.valueBytes + 256)) >> 20));
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
        return WarmHits.found(terrace.cache.get(shape.key(cursor)));
    }

    @Benchmark
    public byte[] rawChronicle(Shape shape, Chronicle chronicle, Cursor cursor) {
        return WarmHits.found(chronicle.map.get(shape.key(cursor)));
    }

    @Benchmark
    public byte[] ehcacheOffHeap(Shape shape, Ehcache ehcache, Cursor cursor) {
        return WarmHits.found(ehcache.cache.get(shape.key(cursor)));
    }
}
