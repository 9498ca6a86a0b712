package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything that happens to folders of L3 and their repository, by chance: what a restore brings back is what the history says. Another
 * number of rounds with {@code -Dterrace.backup.rounds=10000}; one that failed again with {@code -Dterrace.seed=...} as it was printed.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES) // However many rounds.
class RestoreModelIT {
    private static final int ROUNDS_PER_WORLD = 25;

    @TempDir(factory = MemoryDisk.class)
    Path temp;

    private final AtomicInteger restores = new AtomicInteger();
    private final AtomicInteger refusals = new AtomicInteger();

    @Test
    @Tag("F47")
    @Tag("F54")
    void everyRestoreEqualsTheHistoryAtItsMoment() {
        Long replayed = Long.getLong("terrace.seed");
        long seed = replayed == null ? new Random().nextInt(1_000_000_000) : replayed;
        int rounds = Integer.getInteger("terrace.backup.rounds", 300);
        // Worlds know nothing of each other, and each mostly waits: two at once.
        IntStream.range(0, (rounds + ROUNDS_PER_WORLD - 1) / ROUNDS_PER_WORLD)
                .parallel()
                .forEach(world -> live(seed + world, Math.min(ROUNDS_PER_WORLD, rounds - world * ROUNDS_PER_WORLD)));
        System.out.println("RestoreModelIT: rounds " + rounds + ", restores " + restores + ", refused " + refusals);
        assertThat(restores.get()).as("most rounds restore something").isGreaterThan(rounds / 2);
    }

    private void live(long seed, int rounds) {
        System.out.println("RestoreModelIT: -Dterrace.seed=" + seed);
        Path home = temp.resolve("world-" + seed);
        try {
            try (ModelWorld world = new ModelWorld(home, seed)) {
                live(world, rounds);
            }
            Folders.delete(home);
        } catch (Exception | AssertionError e) {
            throw new AssertionError("-Dterrace.seed=" + seed, e);
        }
    }

    private void live(ModelWorld world, int rounds) {
        try {
            for (int round = 0; round < rounds; round++) {
                world.round();
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError(world.story(), e);
        }
        restores.addAndGet(world.restores());
        refusals.addAndGet(world.refusals());
    }
}
