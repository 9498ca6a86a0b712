package dev.terrace.core.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Nothing that was acknowledged is lost: it waits, it is at the origin, or it is a dead letter; the origin gets the writes of a key in
 * their order; no key is in two calls at once; room is given back. On virtual time, with a disk and an origin that fail, and crashes
 * between any two steps of the disk.
 *
 * <p>{@code -Dterrace.seed=N} replays one seed with its trace; {@code -Dterrace.behind.first=N} and {@code -Dterrace.behind.seeds=N} choose
 * others and more of them.
 */
@Tag("F75")
class WriteBehindSimulationTest {
    private static final int SEEDS = Integer.getInteger("terrace.behind.seeds", 2_000);
    private static final int MOST_SECONDS = Integer.getInteger("terrace.behind.seconds", 5);
    /** However slow the machine is: fewer show nothing. */
    private static final int LEAST_SEEDS = 50;

    private static final int MOST_SEEDS_FOR_A_MISTAKE = 2_000;

    @Test
    void nothingAcknowledgedIsLostAndNothingIsReordered() {
        Long replay = Long.getLong("terrace.seed");
        long first = replay != null ? replay : Long.getLong("terrace.behind.first", 1);
        int seeds = replay != null ? 1 : SEEDS;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        long crashes = 0;
        long deaths = 0;
        long written = 0;
        int ran = 0;
        for (long seed = first; seed < first + seeds && (ran < LEAST_SEEDS || System.nanoTime() < deadline); seed++) {
            SimulatedOrigin world = new SimulatedOrigin(seed, Mistake.NONE, replay != null);
            try {
                world.run();
            } catch (AssertionError e) {
                System.out.println(world.lastTrace());
                fail("replay with -Dterrace.seed=" + seed + ": " + e.getMessage(), e);
            }
            crashes += world.crashes;
            deaths += world.deaths;
            written += world.written;
            ran++;
        }
        System.out.println("WriteBehindSimulationTest first_seed=" + first + " seeds=" + ran + " crashes=" + crashes
                + " dead_letters=" + deaths + " written=" + written);
        assertThat(ran).isGreaterThanOrEqualTo(Math.min(seeds, LEAST_SEEDS));
        if (replay == null) {
            assertThat(crashes).isPositive();
            assertThat(deaths).isPositive();
        }
        assertThat(written).isPositive();
    }

    @ParameterizedTest
    @EnumSource(value = Mistake.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aMistakeIsFound(Mistake mistake) {
        for (long seed = 1; seed <= MOST_SEEDS_FOR_A_MISTAKE; seed++) {
            try {
                new SimulatedOrigin(seed, mistake, false).run();
            } catch (SimulatedOrigin.Violation found) {
                System.out.println("WriteBehindSimulationTest mistake=" + mistake + " found_by_seed=" + seed);
                return;
            }
        }
        fail("nobody sees " + mistake);
    }
}
