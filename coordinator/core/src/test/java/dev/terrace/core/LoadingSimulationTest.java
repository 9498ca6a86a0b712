package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What {@link SimulatedLoading} judges holds under every seed, and each mistake of {@link LoadMutant} is found.
 *
 * <p>{@code -Dterrace.seed=N} replays one seed with its trace, {@code -Dterrace.loading.first=N},
 * {@code -Dterrace.loading.seeds=N} and {@code -Dterrace.loading.seconds=N} choose others and more of them.
 */
@Tag("F64")
class LoadingSimulationTest {
    private static final int SEEDS = Integer.getInteger("terrace.loading.seeds", 1_500);
    private static final int MOST_SECONDS = Integer.getInteger("terrace.loading.seconds", 8);
    private static final int MOST_SEEDS_FOR_A_MUTANT = 2_000;

    @Test
    void whatIsPromisedOfLoadingHoldsUnderEverySeed() {
        Long replay = Long.getLong("terrace.seed");
        long first = replay != null ? replay : Long.getLong("terrace.loading.first", 1);
        int seeds = replay != null ? 1 : SEEDS;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        long stale = 0;
        long fresh = 0;
        long failures = 0;
        long calls = 0;
        long refreshes = 0;
        int ran = 0;
        for (long seed = first; seed < first + seeds && System.nanoTime() < deadline; seed++) {
            SimulatedLoading run = new SimulatedLoading(seed, LoadMutant.NONE, replay != null);
            try {
                run.run();
            } catch (AssertionError e) {
                System.out.println(run.trace());
                fail("replay with -Dterrace.seed=" + seed + ": " + e.getMessage(), e);
            }
            stale += run.staleAnswers;
            fresh += run.freshAnswers;
            failures += run.failures;
            calls += run.callsMade;
            refreshes += run.refreshes;
            ran++;
        }
        System.out.println("LoadingSimulationTest first_seed=" + first + " seeds=" + ran + " fresh=" + fresh + " stale="
                + stale + " failed=" + failures + " calls=" + calls + " refreshes=" + refreshes);
        assertThat(stale).isPositive();
        assertThat(fresh).isPositive();
        assertThat(refreshes).isPositive();
    }

    @ParameterizedTest
    @EnumSource(value = LoadMutant.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aMistakeIsFound(LoadMutant mutant) {
        for (long seed = 1; seed <= MOST_SEEDS_FOR_A_MUTANT; seed++) {
            try {
                new SimulatedLoading(seed, mutant, false).run();
            } catch (SimulatedFleet.Violation found) {
                System.out.println("LoadingSimulationTest mutant=" + mutant + " found_by_seed=" + seed);
                return;
            }
        }
        fail("no seed of " + MOST_SEEDS_FOR_A_MUTANT + " finds " + mutant);
    }

    @Test
    void oneSeedIsOneRun() {
        SimulatedLoading one = new SimulatedLoading(7, LoadMutant.NONE, true);
        SimulatedLoading other = new SimulatedLoading(7, LoadMutant.NONE, true);
        one.run();
        other.run();
        assertThat(one.trace()).isNotEmpty().isEqualTo(other.trace());
    }
}
