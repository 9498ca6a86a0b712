package dev.terrace.tier.local.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ResidentsTest {
    private static final int SLOTS = 2_500;

    private final SplittableRandom random = new SplittableRandom(Simulation.mixed(11));
    private final Uses uses = new Uses(UseCells.onHeap(SLOTS));
    private final Residents residents = new Residents(uses);
    private final boolean[] there = new boolean[SLOTS];

    private void put(int slot) {
        if (!there[slot]) {
            there[slot] = true;
            uses.begin(slot, 0, 1);
            residents.add(slot);
        }
    }

    private void take(int slot) {
        if (there[slot]) {
            there[slot] = false;
            uses.end(slot);
            residents.remove(slot);
        }
    }

    @Test
    void whoIsDrawnIsThereHoweverFewThereAre() {
        for (int step = 0; step < 50_000; step++) {
            int slot = random.nextInt(SLOTS);
            // Fills and empties in turns.
            if (random.nextInt(10) < (step / 10_000 % 2 == 0 ? 9 : 1)) {
                put(slot);
            } else {
                take(slot);
            }
            int drawn = residents.any(random);
            if (residents.count() == 0) {
                assertThat(drawn).isEqualTo(Residents.NONE);
            } else {
                assertThat(there[drawn]).as("step %d slot %d", step, drawn).isTrue();
            }
        }
    }

    @Test
    void eachIsAsLikelyAsAnyOtherWhereverTheyAre() {
        int[] lonely = {255, 256, 900, SLOTS - 1};
        for (int slot : lonely) {
            put(slot);
        }
        for (int slot = 1_000; slot < 1_016; slot++) {
            put(slot);
        }
        int[] drawn = new int[SLOTS];
        for (int draw = 0; draw < 20_000; draw++) {
            drawn[residents.any(random)]++;
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            // 1,000 each, and the spread is 31.
            assertThat(drawn[slot]).as("slot %d", slot).isBetween(there[slot] ? 800 : 0, there[slot] ? 1_200 : 0);
        }
    }
}
