package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loaded;
import dev.terrace.api.Loading;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an origin is asked by three nodes that read all the time, on virtual time, when L1 and L2 lose everything or it fails. */
class ColdRestartTest {
    private static final long SEED = Long.getLong("terrace.seed", 62);
    private static final int KEYS = 400;
    private static final Duration TTL = Duration.ofSeconds(10);
    private static final int LOAD_MILLIS = 20;

    /** Measured without any limit, see {@link #withoutALimitTheOriginIsAskedForEverythingAtOnce}. */
    private static final int STEADY_PER_SECOND = 50;

    private static final int ALLOWED_PER_SECOND = STEADY_PER_SECOND * 12 / 10;
    private static final int BURST = 10;

    /** Three nodes, one L2, one origin. */
    private static final class Fleet {
        final SplittableRandom random = new SplittableRandom(SEED);
        final VirtualTime time = new VirtualTime(random, false);
        final InstantSource wall = time.wall(0);
        final HeapTier remote = new HeapTier(TierLevel.L2, wall);
        final List<HeapLocalTier> locals = new ArrayList<>();
        final List<NamedCache<String, String>> caches = new ArrayList<>();
        double failing;
        int calls;
        int reads;
        int refused;
        int nextKey;

        Fleet(int fleetRate, boolean breaker) {
            OriginSettings origin = new OriginSettings(
                    0,
                    false,
                    Duration.ZERO,
                    0,
                    fleetRate,
                    BURST,
                    new CircuitBreakerSettings(breaker, 20, Duration.ofSeconds(30), Duration.ofSeconds(5), 80));
            Settings settings = Settings.defaults()
                    .withCaches(Map.of(
                            "quotes",
                            new CachePolicy(TTL, Duration.ZERO, Duration.ZERO, null)
                                    .withLoading(LoadingPolicy.INHERIT.withTtlJitter(40))))
                    .withOrigins(Map.of("quotes", origin));
            for (int id = 1; id <= 3; id++) {
                VirtualTimer timer = new VirtualTimer((delay, action) -> time.at(time.now() + delay, null, action));
                MetricRegistry metrics = new MetricRegistry();
                Wiring wiring =
                        new Wiring(settings, wall, metrics, id, List.of(), SimulatedFleet.PROMISES, Mutant.NONE);
                wiring.fleet(remote, LeaseMutant.NONE);
                HeapLocalTier local = new HeapLocalTier(wall);
                locals.add(local);
                Engine engine = wiring.engine(new Tiers(local, remote, null, null), timer, timer, time::now);
                CacheState state = new CacheState(
                        "quotes", new Trust(engine.coherence(), SimulatedFleet.PROMISES, "quotes", false), metrics);
                engine.markers().opened(state);
                caches.add(new NamedCache<>(
                        engine,
                        state,
                        new Coding<>(
                                state, Codecs.stringKey(), Codecs.string(), engine.policies(), settings.limits())));
            }
        }

        private CompletableFuture<Loaded<String>> load() {
            calls++;
            CompletableFuture<Loaded<String>> answer = new CompletableFuture<>();
            boolean fails = random.nextDouble() < failing;
            time.at(time.now() + LOAD_MILLIS * VirtualTime.MILLI, null, () -> {
                if (fails) {
                    answer.completeExceptionally(new IllegalStateException("origin"));
                } else {
                    answer.complete(Loaded.value("v"));
                }
            });
            return answer;
        }

        private void read(String key) {
            reads++;
            caches.get(random.nextInt(caches.size()))
                    .async()
                    .get(key, Loading.byAsync(context -> load()))
                    .whenComplete((value, failure) -> refused += failure == null ? 0 : 1);
        }

        /** A read each millisecond; what was asked of the origin in each second. */
        List<Integer> run(int seconds, boolean alwaysNewKeys) {
            List<Integer> perSecond = new ArrayList<>();
            for (int second = 0; second < seconds; second++) {
                int before = calls;
                for (int i = 0; i < 1_000; i++) {
                    time.runUntil(time.now() + VirtualTime.MILLI);
                    read("k" + (alwaysNewKeys ? nextKey++ : random.nextInt(KEYS)));
                }
                perSecond.add(calls - before);
            }
            return perSecond;
        }

        void loseEverything() {
            remote.wipe();
            locals.forEach(HeapLocalTier::wipe);
        }
    }

    private static double mean(List<Integer> perSecond) {
        return perSecond.stream().mapToInt(calls -> calls).average().orElseThrow();
    }

    @Test
    @Tag("F62")
    void afterLosingL1AndL2AFleetAsksNoMoreThanItsRateAndRecoversAlone() {
        Fleet fleet = new Fleet(ALLOWED_PER_SECOND, true);
        fleet.run(90, false);
        List<Integer> steady = fleet.run(30, false);
        assertThat(mean(steady)).as("seed %d, %s", SEED, steady).isLessThan(STEADY_PER_SECOND * 1.05);
        fleet.loseEverything();
        int refusedBefore = fleet.refused;
        List<Integer> after = fleet.run(60, false);
        assertThat(after)
                .as("seed %d, calls in each second", SEED)
                .allSatisfy(calls -> assertThat(calls).isLessThanOrEqualTo(ALLOWED_PER_SECOND + BURST));
        assertThat(fleet.refused).as("callers were told to come again").isGreaterThan(refusedBefore);
        int refusedUntilThen = fleet.refused;
        List<Integer> recovered = fleet.run(20, false);
        assertThat((fleet.refused - refusedUntilThen) / 20_000.0)
                .as("seed %d, share of refused reads, calls %s", SEED, recovered)
                .isLessThan(0.005);
        assertThat(mean(recovered)).as("seed %d, %s", SEED, recovered).isLessThan(STEADY_PER_SECOND * 1.1);
    }

    @Test
    void withoutALimitTheOriginIsAskedForEverythingAtOnce() {
        Fleet fleet = new Fleet(0, true);
        fleet.run(30, false);
        List<Integer> steady = fleet.run(30, false);
        assertThat(mean(steady)).as("seed %d, %s", SEED, steady).isBetween(40.0, 1.0 * STEADY_PER_SECOND);
        fleet.loseEverything();
        assertThat(fleet.run(1, false).get(0)).as("seed %d", SEED).isGreaterThan(4 * STEADY_PER_SECOND);
    }

    @Test
    @Tag("F65")
    void noCallIsTriedAgainByItselfAndAFailingOriginIsAskedLess() {
        Fleet fleet = new Fleet(0, false);
        fleet.failing = 0.5;
        fleet.run(10, true);
        fleet.time.runUntil(fleet.time.now() + 1_000 * VirtualTime.MILLI);
        assertThat(fleet.calls).as("seed %d, calls of the origin", SEED).isEqualTo(fleet.reads);
        Fleet guarded = new Fleet(0, true);
        guarded.failing = 0.5;
        guarded.run(10, true);
        assertThat(guarded.calls)
                .as("seed %d, calls of the origin of %d reads", SEED, guarded.reads)
                .isLessThan(guarded.reads / 10);
    }
}
