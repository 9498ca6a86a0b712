package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything that happens to folders of L3 and their repository, by chance, as in {@link RestoreModelIT}; but each restore goes on under a tier that is asked for
 * every key meanwhile, and that is closed and opened again in the middle. Another number of rounds with {@code
 * -Dterrace.backup.live_rounds=1000}; one that failed again with {@code -Dterrace.seed=...} as it was printed.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES) // However many rounds.
class LiveRestoreModelIT {
    private static final int ROUNDS_PER_WORLD = 10;

    @TempDir(factory = MemoryDisk.class)
    Path temp;

    @Test
    @Tag("F47")
    void whatIsAnsweredDuringARestoreIsWhatTheHistorySays() throws Exception {
        Long replayed = Long.getLong("terrace.seed");
        long seed = replayed == null ? new Random().nextInt(1_000_000_000) : replayed;
        int rounds = Integer.getInteger("terrace.backup.live_rounds", 20);
        int restores = 0;
        for (int done = 0; done < rounds; done += ROUNDS_PER_WORLD) {
            System.out.println("LiveRestoreModelIT: -Dterrace.seed=" + seed);
            try (ModelWorld world = new ModelWorld(temp.resolve("world-" + seed), seed).live()) {
                try {
                    for (int round = 0; round < Math.min(ROUNDS_PER_WORLD, rounds - done); round++) {
                        world.round();
                    }
                } catch (Exception | AssertionError e) {
                    throw new AssertionError("-Dterrace.seed=" + seed + "\n" + world.story(), e);
                }
                restores += world.restores();
            }
            Folders.delete(temp.resolve("world-" + seed));
            seed++;
        }
        System.out.println("LiveRestoreModelIT: rounds " + rounds + ", restores " + restores);
        assertThat(restores).as("most rounds restore something").isGreaterThan(rounds / 2);
    }
}
