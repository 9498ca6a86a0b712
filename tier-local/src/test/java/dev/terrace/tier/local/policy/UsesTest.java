package dev.terrace.tier.local.policy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UsesTest {
    private static final int SLOTS = 100;

    /** Where the clock begins: anywhere, shortly before it turns negative, and shortly before it passes 0. */
    @ParameterizedTest
    @ValueSource(ints = {1, Integer.MAX_VALUE - 100, -350})
    void usesHalveWhereverTheClockStands(int start) {
        Uses uses = new Uses(UseCells.onHeap(SLOTS), SLOTS, 1, start);
        uses.begin(0, 0, 1);
        for (int use = 1; use < Uses.MOST_USES; use++) {
            uses.again(0);
        }
        for (int halfLives = 0; halfLives < 10; halfLives++) {
            assertThat(uses.frequency(uses.of(0), uses.now()))
                    .as("after %d", halfLives)
                    .isEqualTo(Uses.MOST_USES >>> halfLives);
            for (int tick = 0; tick < SLOTS; tick++) {
                uses.tick();
            }
        }
        uses.again(0);
        assertThat(uses.frequency(uses.of(0), uses.now())).as("used again").isOne();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, Integer.MAX_VALUE - 100, -350})
    void whoWasIdleForMoreThanHalfARoundIsOldAndWhoSeesTheClockLateIsNot(int start) {
        Uses uses = new Uses(UseCells.onHeap(SLOTS), SLOTS, 0, start);
        uses.begin(0, 0, 1);
        long use = uses.of(0);
        int last = uses.now();
        assertThat(Uses.age(use, last + 300)).isEqualTo(300);
        assertThat(Uses.age(use, last - 1_000)).isZero();
        assertThat(Uses.age(use, last + Integer.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE);
        assertThat(Uses.age(use, last + Integer.MIN_VALUE + 1_000)).isEqualTo(Integer.MAX_VALUE);
    }
}
