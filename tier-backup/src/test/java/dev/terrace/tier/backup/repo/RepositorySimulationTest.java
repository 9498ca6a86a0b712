package dev.terrace.tier.backup.repo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The protocol of a repository under interleavings that seeds decide. {@code -Dterrace.repository.worlds=N} runs more,
 * {@code -Dterrace.seed=N} begins elsewhere.
 */
class RepositorySimulationTest {
    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });

    @AfterAll
    static void stop() {
        THREADS.shutdownNow();
    }

    @Test
    @Tag("F47")
    @Tag("F52")
    @Tag("F54")
    void rules_hold_whoever_is_stalled_killed_or_copied() throws Exception {
        long first = Long.getLong("terrace.seed", new Random().nextLong());
        int worlds = Integer.getInteger("terrace.repository.worlds", 1_000);
        System.out.println("RepositorySimulationTest: -Dterrace.seed=" + first);
        int fenced = 0;
        int pruned = 0;
        int killed = 0;
        for (int i = 0; i < worlds; i++) {
            RepositoryWorld world = new RepositoryWorld(first + i, RepositoryMutant.NONE);
            assertThat(world.run(THREADS)).as("-Dterrace.seed=" + (first + i)).isNull();
            fenced += world.fenced;
            pruned += world.pruned;
            killed += world.killed;
        }
        assertThat(fenced).as("copies that were fenced").isGreaterThan(worlds / 10);
        assertThat(pruned).as("prunes that dropped something").isGreaterThan(worlds / 10);
        assertThat(killed).as("processes that were killed").isGreaterThan(worlds / 10);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void faults_built_in_are_found(RepositoryMutant mutant) throws Exception {
        for (long seed = 0; seed < 20_000; seed++) {
            if (new RepositoryWorld(seed, mutant).run(THREADS) != null) {
                System.out.println("RepositorySimulationTest: " + mutant + " is found by seed " + seed);
                return;
            }
        }
        throw new AssertionError("nothing found " + mutant);
    }
}
