package dev.terrace.benchmarks;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.failover.GuardedTier;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the breaker and the outer deadline around a call of L2 or L3 cost: a tier on the heap, which answers at once, bare and guarded. To be
 * seen beside a call of a real L2, {@link RemoteTierBenchmark#terraceGet}, run with it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Benchmark)
public class GuardBenchmark {
    private final CacheKey key = CacheKey.of("bench", "absent");
    private Tier bare;
    private Tier guarded;

    @Setup(Level.Trial)
    public void open() {
        System.out.println(Figures.load());
        bare = new HeapTier(TierLevel.L2, InstantSource.system());
        guarded = new GuardedTier(bare, CircuitBreakerSettings.defaults(), Duration.ofSeconds(1), new MetricRegistry());
    }

    @Benchmark
    public Lookup bare() {
        return bare.get(key).toCompletableFuture().join();
    }

    @Benchmark
    public Lookup guarded() {
        return guarded.get(key).toCompletableFuture().join();
    }
}
