package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * BOUNDED never answers as fresh what was replaced, and acknowledged, longer ago than its bound; STRICT never answers what was
 * replaced before the read began; everything converges. On virtual time, over logs that delay, duplicate, forget and are cut
 * off, nodes that sleep and are replaced, and an L2 whose answers get lost.
 *
 * <p>{@code -Dterrace.seed=N} replays one seed with its trace, {@code -Dterrace.coherence.first=N},
 * {@code -Dterrace.coherence.seeds=N} and {@code -Dterrace.coherence.seconds=N} choose others and more of them.
 */
@Tag("F26")
@Tag("F28")
@Tag("F30")
@Tag("F77")
class CoherenceSimulationTest {
    private static final int SEEDS = Integer.getInteger("terrace.coherence.seeds", 5_000);
    private static final int MOST_SECONDS = Integer.getInteger("terrace.coherence.seconds", 20);
    private static final int MOST_SEEDS_FOR_A_MUTANT = 4_000;

    @Test
    void promisesAreKeptUnderEveryFault() {
        Long replay = Long.getLong("terrace.seed");
        long first = replay != null ? replay : Long.getLong("terrace.coherence.first", 1);
        int seeds = replay != null ? 1 : SEEDS;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        long fresh = 0;
        long local = 0;
        long near = 0;
        long covered = 0;
        int ran = 0;
        for (long seed = first; seed < first + seeds && System.nanoTime() < deadline; seed++) {
            SimulatedFleet fleet = new SimulatedFleet(seed, Mutant.NONE, replay != null);
            try {
                fleet.run();
            } catch (AssertionError e) {
                System.out.println(fleet.trace());
                fail("replay with -Dterrace.seed=" + seed + ": " + e.getMessage(), e);
            }
            fresh += fleet.freshAnswers;
            local += fleet.localAnswers;
            near += fleet.nearAnswers;
            covered += fleet.coveredWrites;
            ran++;
        }
        System.out.println("CoherenceSimulationTest first_seed=" + first + " seeds=" + ran + " fresh_answers=" + fresh
                + " local_answers=" + local + " near_answers=" + near + " covered_writes=" + covered);
        assertThat(local).isPositive();
        assertThat(near).isPositive();
        assertThat(covered).isPositive();
    }

    @ParameterizedTest
    @EnumSource(value = Mutant.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aMistakeIsFound(Mutant mutant) {
        for (long seed = 1; seed <= MOST_SEEDS_FOR_A_MUTANT; seed++) {
            try {
                new SimulatedFleet(seed, mutant, false).run();
            } catch (SimulatedFleet.Violation found) {
                System.out.println("CoherenceSimulationTest mutant=" + mutant + " found_by_seed=" + seed);
                return;
            }
        }
        fail("no seed of " + MOST_SEEDS_FOR_A_MUTANT + " finds " + mutant);
    }

    @Test
    void oneSeedIsOneRun() {
        SimulatedFleet one = new SimulatedFleet(7, Mutant.NONE, true);
        SimulatedFleet other = new SimulatedFleet(7, Mutant.NONE, true);
        one.run();
        other.run();
        assertThat(one.trace()).isNotEmpty().isEqualTo(other.trace());
    }
}
