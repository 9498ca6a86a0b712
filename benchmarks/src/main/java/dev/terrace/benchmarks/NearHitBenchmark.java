package dev.terrace.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.core.CacheCoordinator;
import java.util.Map;
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
@Fork(value = 1, jvmArgsAppend = WarmHits.HEAP)
public class NearHitBenchmark extends ChronicleBenchmark {
    /** The same coordinator with two caches: one with a near cache, one without. */
    @State(Scope.Benchmark)
    public static class Terrace {
        CacheCoordinator coordinator;
        Cache<String, byte[]> near;
        Cache<String, byte[]> plain;

        @Setup(Level.Trial)
        public void open() {
            System.out.println(Figures.load());
            coordinator = CacheCoordinator.open(WarmHits.settings(4 * WarmHits.ENTRIES, 400)
                    .withCaches(Map.of(
                            "near",
                            CachePolicy.INHERIT.withNearCache(new NearCacheSettings(2 * WarmHits.ENTRIES, null)))));
            near = coordinator.cache("near", Codecs.stringKey(), Codecs.bytes());
            plain = coordinator.cache("plain", Codecs.stringKey(), Codecs.bytes());
            WarmHits.fill(near, Source.NEAR);
            WarmHits.fill(plain, Source.L1);
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
            map = Caffeine.newBuilder().maximumSize(2 * WarmHits.ENTRIES).build();
            String[] keys = Workload.keys(WarmHits.ENTRIES);
            for (int i = 0; i < WarmHits.ENTRIES; i++) {
                map.put(keys[i], Workload.value(WarmHits.VALUE_BYTES, i));
            }
        }
    }

    @Benchmark
    public byte[] terraceNear(Terrace terrace, WarmHits.Cursor cursor) {
        return WarmHits.found(terrace.near.get(cursor.key()));
    }

    @Benchmark
    public byte[] terraceL1(Terrace terrace, WarmHits.Cursor cursor) {
        return WarmHits.found(terrace.plain.get(cursor.key()));
    }

    @Benchmark
    public byte[] rawCaffeine(Peer peer, WarmHits.Cursor cursor) {
        return WarmHits.found(peer.map.getIfPresent(cursor.key()));
    }

    /** What the clock alone costs here. */
    @Benchmark
    public long clock() {
        return java.time.InstantSource.system().millis();
    }
}
