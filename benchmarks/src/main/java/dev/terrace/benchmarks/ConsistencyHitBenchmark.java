package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.Consistency;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.local.OffHeapTierProvider;
import java.time.InstantSource;
import java.util.Map;
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
@Fork(value = 1, jvmArgsAppend = WarmHits.HEAP)
public class ConsistencyHitBenchmark extends ChronicleBenchmark {
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
            Settings settings = WarmHits.settings(2 * WarmHits.ENTRIES, 200)
                    .withCaches(Map.of("bench", CachePolicy.INHERIT.withConsistency(consistency, null)));
            InstantSource clock = InstantSource.system();
            coordinator = CacheCoordinator.builder()
                    .settings(settings)
                    .tier(new OffHeapTierProvider().open(new TestContext(clock, settings.localCache())))
                    .tier(new HeapTier(TierLevel.L2, clock))
                    .backplane(new HeapLog().open())
                    .build();
            cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
            WarmHits.fill(cache, Source.L1);
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
    public byte[] hit(Terrace terrace, WarmHits.Cursor cursor) {
        return WarmHits.found(terrace.cache.get(cursor.key()));
    }
}
