package dev.terrace.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import java.time.Duration;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A warm hit in the near cache, beside a bare Caffeine of the same entries and beside a hit in L1; one value object for all. */
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
public class NearHitBenchmark {
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
                true, 4 * ENTRIES, 400, Duration.ofDays(1), defaults.evictionPolicy(), defaults.sweepInterval());
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

    /** The same coordinator with two caches: one with a near cache, one without. */
    @State(Scope.Benchmark)
    public static class Terrace {
        CacheCoordinator coordinator;
        Cache<String, byte[]> near;
        Cache<String, byte[]> plain;

        @Setup(Level.Trial)
        public void open() {
            System.out.println(Figures.load());
            Settings defaults = Settings.defaults();
            coordinator = CacheCoordinator.open(new Settings(
                    localCache(),
                    defaults.distributedCache(),
                    defaults.backupStorage(),
                    defaults.circuitBreaker(),
                    defaults.failover(),
                    defaults.loading(),
                    defaults.limits(),
                    Map.of("near", CachePolicy.INHERIT.withNearCache(new NearCacheSettings(2 * ENTRIES, null))),
                    defaults.classes(),
                    defaults.server()));
            near = coordinator.cache("near", Codecs.stringKey(), Codecs.bytes());
            plain = coordinator.cache("plain", Codecs.stringKey(), Codecs.bytes());
            fill(near, Source.NEAR);
            fill(plain, Source.L1);
        }

        @TearDown(Level.Trial)
        public void close() {
            coordinator.close();
        }
    }

    /** A bare Caffeine. */
    @State(Scope.Benchmark)
    public static class Peer {
        com.github.benmanes.caffeine.cache.Cache<String, byte[]> map;

        @Setup(Level.Trial)
        public void open() {
            map = Caffeine.newBuilder().maximumSize(2 * ENTRIES).build();
            String[] keys = Workload.keys(ENTRIES);
            for (int i = 0; i < ENTRIES; i++) {
                map.put(keys[i], Workload.value(VALUE_BYTES, i));
            }
        }
    }

    @Benchmark
    public byte[] terraceNear(Terrace terrace, Cursor cursor) {
        return found(terrace.near.get(cursor.key()));
    }

    @Benchmark
    public byte[] terraceL1(Terrace terrace, Cursor cursor) {
        return found(terrace.plain.get(cursor.key()));
    }

    @Benchmark
    public byte[] rawCaffeine(Peer peer, Cursor cursor) {
        return found(peer.map.getIfPresent(cursor.key()));
    }

    /** What the clock alone costs here. */
    @Benchmark
    public long clock() {
        return java.time.InstantSource.system().millis();
    }
}
