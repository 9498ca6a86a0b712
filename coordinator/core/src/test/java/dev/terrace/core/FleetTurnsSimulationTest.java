package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** See {@link SimulatedTurns}. {@code -Dterrace.seed=N} replays one seed with its trace, {@code -Dterrace.turns.seeds=N} runs more. */
@Tag("F63")
class FleetTurnsSimulationTest {
    private static final int SEEDS = Integer.getInteger("terrace.turns.seeds", 200);
    private static final int MOST_SECONDS = Integer.getInteger("terrace.turns.seconds", 6);

    /** However slow the machine is. */
    private static final int LEAST_SEEDS = 10;

    private static final int MOST_SEEDS_FOR_A_MUTANT = 300;

    @Test
    void oneNodeAtATimeAsksForAKeyAndAnotherTakesOver() {
        Long replay = Long.getLong("terrace.seed");
        long from = replay != null ? replay : 1;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        long calls = 0;
        long shared = 0;
        long takenOver = 0;
        int ran = 0;
        int seeds = replay != null ? 1 : SEEDS;
        for (long seed = from; seed < from + seeds && (ran < LEAST_SEEDS || System.nanoTime() < deadline); seed++) {
            SimulatedTurns fleet = new SimulatedTurns(seed, LeaseMutant.NONE);
            try {
                fleet.run();
            } catch (AssertionError e) {
                System.out.println(fleet.trace());
                fail("replay with -Dterrace.seed=" + seed + ": " + e.getMessage(), e);
            }
            calls += fleet.callsMade;
            shared += fleet.shared;
            takenOver += fleet.takenOver;
            ran++;
        }
        System.out.println("FleetTurnsSimulationTest seeds=" + ran + " calls=" + calls + " shared=" + shared
                + " taken_over=" + takenOver);
        assertThat(shared).isPositive();
        if (ran >= LEAST_SEEDS) {
            assertThat(takenOver).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(value = LeaseMutant.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aMistakeIsFound(LeaseMutant mutant) {
        for (long seed = 1; seed <= MOST_SEEDS_FOR_A_MUTANT; seed++) {
            try {
                new SimulatedTurns(seed, mutant).run();
            } catch (SimulatedFleet.Violation found) {
                System.out.println("FleetTurnsSimulationTest mutant=" + mutant + " found_by_seed=" + seed);
                return;
            }
        }
        fail("no seed of " + MOST_SEEDS_FOR_A_MUTANT + " finds " + mutant);
    }
}
