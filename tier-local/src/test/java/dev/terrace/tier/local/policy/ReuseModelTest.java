package dev.terrace.tier.local.policy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReuseModelTest {
    private static final int SLOTS = 1_000;
    private static final int AGE = 8;

    @Test
    void whatWasUsedWhileNobodyCameIsUnlearnedAsSoonAsAllElse() {
        Uses uses = new Uses(UseCells.onHeap(SLOTS));
        ReuseModel model = new ReuseModel(uses);
        uses.begin(0, 0, 1);
        long once = uses.of(0);
        for (int hit = 0; hit < 20_000_000; hit++) {
            model.used(once, uses.now() + AGE);
        }
        arrive(uses, model, 2 * SLOTS, 0);
        double wanted = model.value(once, Uses.last(once) + AGE);
        // From now on nobody is used again: 300 lessons.
        arrive(uses, model, 150 * SLOTS, 1);
        assertThat(model.value(once, Uses.last(once) + AGE)).isLessThan(wanted / 10);
    }

    /** Keys that are evicted at once. */
    private static void arrive(Uses uses, ReuseModel model, int keys, int round) {
        for (int key = 0; key < keys; key++) {
            uses.begin(1, 0, 1);
            model.returned(0, uses.now());
            long use = uses.of(1);
            uses.end(1);
            model.left(Simulation.mixed((long) round << 32 | key), use, uses.now());
        }
    }
}
