package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loaded;
import dev.terrace.api.Loading;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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

/**
 * What loading costs around the loader: a miss with an asynchronous loader that answers at once and is not remembered, beside the bare
 * call; one with a blocking loader, which is handed to another thread; and a warm hit with loading rules beside one without.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Benchmark)
public class SingleFlightBenchmark {
    private static final Loading<String, String> NOTHING =
            Loading.byAsync(context -> CompletableFuture.completedStage(Loaded.notFound()));

    private CacheCoordinator coordinator;
    private Cache<String, String> plain;
    private Cache<String, String> refreshing;

    @Setup(Level.Trial)
    public void open() {
        System.out.println(Figures.load());
        Settings defaults = Settings.defaults();
        CachePolicy eager = new CachePolicy(Duration.ofHours(1), Duration.ofHours(1), null, null)
                .withLoading(LoadingPolicy.INHERIT.withRefresh(true, 90));
        coordinator = CacheCoordinator.open(new Settings(
                defaults.localCache(),
                defaults.distributedCache(),
                defaults.backupStorage(),
                defaults.circuitBreaker(),
                defaults.failover(),
                defaults.loading(),
                defaults.limits(),
                Map.of("refreshing", eager),
                defaults.classes(),
                defaults.server()));
        plain = coordinator.cache("plain", Codecs.stringKey(), Codecs.string());
        refreshing = coordinator.cache("refreshing", Codecs.stringKey(), Codecs.string());
        plain.put("held", "value");
        refreshing.put("held", "value");
    }

    @TearDown(Level.Trial)
    public void close() {
        coordinator.close();
    }

    @Benchmark
    public CompletionStage<?> bareLoader() {
        return CompletableFuture.completedStage(Loaded.notFound());
    }

    @Benchmark
    public Object missWithoutLoader() {
        return plain.async().get("missing");
    }

    @Benchmark
    public Object missAsync() {
        return plain.async().get("missing", NOTHING);
    }

    @Benchmark
    public Object missBlocking() {
        return plain.get("missing", key -> null);
    }

    @Benchmark
    public String warmHitPlain() {
        return plain.get("held", NOTHING);
    }

    @Benchmark
    public String warmHitRefreshing() {
        return refreshing.get("held", NOTHING);
    }
}
