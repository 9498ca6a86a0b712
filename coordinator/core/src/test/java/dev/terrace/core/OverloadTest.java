package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loaded;
import dev.terrace.api.Loading;
import dev.terrace.api.RejectedException;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.OriginSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A whole coordinator before an origin that can do only so much, on virtual time: callers come whether or not it keeps up, and give up at
 * their hard timeout; what the origin has queued it does all the same, which is how overload turns into nothing done.
 */
class OverloadTest {
    private static final long SEED = Long.getLong("terrace.seed", 68);
    private static final int WORKERS = 8;
    private static final long MEAN_NANOS = 20 * VirtualTime.MILLI;
    private static final long PATIENCE_NANOS = 1_000 * VirtualTime.MILLI;
    private static final double CAPACITY = WORKERS * 1e9 / MEAN_NANOS;
    private static final Duration MAX_WAIT = Duration.ofMillis(200);
    private static final int SECONDS = 5;

    private static final class Run {
        final SplittableRandom random = new SplittableRandom(SEED);
        final VirtualTime time = new VirtualTime(random, false);
        final ArrayDeque<CompletableFuture<Loaded<String>>> queue = new ArrayDeque<>();
        final NamedCache<String, String> cache;
        int busy;
        int good;
        int refused;
        int refusedLate;
        int withoutRetryAfter;
        long longestWaitNanos;
        long longestRefusalNanos;
        int nextKey;

        Run(OriginSettings origin) {
            InstantSource wall = time.wall(0);
            CachePolicy policy = new CachePolicy(Duration.ofMinutes(1), Duration.ZERO, Duration.ZERO, null)
                    .withLoading(LoadingPolicy.INHERIT.withTimeouts(null, Duration.ofNanos(PATIENCE_NANOS)));
            Settings settings =
                    Settings.defaults().withCaches(Map.of("quotes", policy)).withOrigins(Map.of("quotes", origin));
            VirtualTimer timer = new VirtualTimer((delay, action) -> time.at(time.now() + delay, null, action));
            MetricRegistry metrics = new MetricRegistry();
            Wiring wiring = new Wiring(settings, wall, metrics, 1, List.of(), SimulatedFleet.PROMISES, Mutant.NONE);
            HeapTier remote = new HeapTier(TierLevel.L2, wall);
            wiring.fleet(remote, LeaseMutant.NONE);
            Engine engine =
                    wiring.engine(new Tiers(new HeapLocalTier(wall), remote, null, null), timer, timer, time::now);
            CacheState state = new CacheState(
                    "quotes", new Trust(engine.coherence(), SimulatedFleet.PROMISES, "quotes", false), metrics);
            engine.markers().opened(state);
            cache = new NamedCache<>(
                    engine,
                    state,
                    new Coding<>(state, Codecs.stringKey(), Codecs.string(), engine.policies(), settings.limits()));
        }

        private long exponential(double mean) {
            return Math.max(1, (long) (-Math.log(1 - random.nextDouble()) * mean));
        }

        private CompletableFuture<Loaded<String>> call() {
            CompletableFuture<Loaded<String>> answer = new CompletableFuture<>();
            queue.add(answer);
            work();
            return answer;
        }

        private void work() {
            while (busy < WORKERS && !queue.isEmpty()) {
                CompletableFuture<Loaded<String>> next = queue.poll();
                busy++;
                time.at(time.now() + exponential(MEAN_NANOS), null, () -> {
                    busy--;
                    next.complete(Loaded.value("v"));
                    work();
                });
            }
        }

        private void arrive() {
            long came = time.now();
            cache.async()
                    .get("k" + nextKey++, Loading.byAsync(context -> call()))
                    .whenComplete((value, failure) -> {
                        long waited = time.now() - came;
                        longestWaitNanos = Math.max(longestWaitNanos, waited);
                        if (failure == null) {
                            good++;
                        } else if (Gate.unwrapped(failure) instanceof RejectedException rejected) {
                            refused++;
                            longestRefusalNanos = Math.max(longestRefusalNanos, waited);
                            refusedLate += waited > 5 * VirtualTime.MILLI ? 1 : 0;
                            withoutRetryAfter += rejected.retryAfter().isZero() ? 1 : 0;
                        }
                    });
        }

        private void offer(double perSecond, long until) {
            time.at(time.now() + exponential(1e9 / perSecond), null, () -> {
                if (time.now() < until) {
                    arrive();
                    offer(perSecond, until);
                }
            });
        }

        /** Share of what the origin can do that callers were answered in time, when so much more is asked of it. */
        double goodput(double load) {
            long end = SECONDS * 1_000 * VirtualTime.MILLI;
            offer(CAPACITY * load, end);
            time.runUntil(end);
            return good / (CAPACITY * SECONDS);
        }
    }

    private static OriginSettings origin(int maxConcurrent, boolean adaptive) {
        return new OriginSettings(
                maxConcurrent,
                adaptive,
                MAX_WAIT,
                0,
                0,
                1,
                new CircuitBreakerSettings(false, 20, Duration.ofSeconds(30), Duration.ofSeconds(5), 80));
    }

    @Test
    @Tag("F68")
    void fourAndTenTimesTheLoadNeverLowersWhatIsAnsweredAndNobodyWaitsPastTheHardTimeout() {
        for (double load : new double[] {4, 10}) {
            for (OriginSettings origin : List.of(origin(WORKERS, false), origin(0, true))) {
                Run run = new Run(origin);
                double goodput = run.goodput(load);
                System.out.println("OverloadTest load=" + load + " goodput=" + goodput + " refused=" + run.refused
                        + " late=" + run.refusedLate + " longest_ms=" + run.longestWaitNanos / VirtualTime.MILLI);
                String as = "seed " + SEED + ", load " + load + ", " + origin;
                assertThat(goodput).as(as).isGreaterThan(0.95);
                assertThat(run.longestWaitNanos).as(as).isLessThanOrEqualTo(PATIENCE_NANOS + VirtualTime.MILLI);
                assertThat(run.withoutRetryAfter).as(as).isZero();
                assertThat(run.refusedLate)
                        .as("%s, of %d refused, who had some hope of a turn", as, run.refused)
                        .isLessThanOrEqualTo(run.refused / 5);
                assertThat(run.longestRefusalNanos).as(as).isLessThanOrEqualTo(MAX_WAIT.toNanos() + VirtualTime.MILLI);
            }
        }
    }

    @Test
    void withoutLimitsNextToNothingWouldBeAnswered() {
        assertThat(new Run(origin(0, false)).goodput(4)).as("seed %d", SEED).isLessThan(0.5);
    }
}
