package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Against one flag a chunk. */
class SpaceTest {
    private final SplittableRandom random = LocalFixture.random(getClass());
    private boolean[] taken = {};
    private Space space = new Space(1);

    private void begin(int count) {
        taken = new boolean[count];
        space = new Space(count);
    }

    private int next(int from, int end, boolean wanted) {
        for (int chunk = from; chunk < end; chunk++) {
            if (taken[chunk] == wanted) {
                return chunk;
            }
        }
        return end;
    }

    private int free() {
        int free = 0;
        for (boolean one : taken) {
            free += one ? 0 : 1;
        }
        return free;
    }

    private boolean hasRun(int wanted) {
        int run = 0;
        for (boolean one : taken) {
            run = one ? 0 : run + 1;
            if (run == wanted) {
                return true;
            }
        }
        return false;
    }

    private int gaps() {
        int gaps = 0;
        for (int chunk = 0; chunk < taken.length; chunk++) {
            gaps += !taken[chunk] && (chunk == 0 || taken[chunk - 1]) ? 1 : 0;
        }
        return gaps;
    }

    private void take() {
        int wanted = 1 + random.nextInt(random.nextInt(4) == 0 ? taken.length : Math.min(taken.length, 70));
        int first = space.take(wanted);
        if (first == Space.NONE) {
            assertThat(hasRun(wanted) && gaps() < 32)
                    .as("a run of %s was there", wanted)
                    .isFalse();
            return;
        }
        assertThat(next(first, first + wanted, true)).as("free").isEqualTo(first + wanted);
        Arrays.fill(taken, first, first + wanted, true);
    }

    /** The part of a run of equals from some chunk on. */
    private int end(int from) {
        int end = next(from, taken.length, !taken[from]);
        return from + 1 + random.nextInt(end - from);
    }

    private void change() {
        int from = random.nextInt(taken.length);
        int end = end(from);
        if (random.nextInt(3) == 0) {
            take();
        } else if (!taken[from]) {
            space.claim(from, end - from);
            Arrays.fill(taken, from, end, true);
        } else if (random.nextBoolean()) {
            space.free(from, end - from);
            Arrays.fill(taken, from, end, false);
        } else {
            int to = from;
            while (to > 0 && !taken[to - 1]) {
                to--;
            }
            space.moved(from, to, end - from);
            Arrays.fill(taken, from, end, false);
            Arrays.fill(taken, to, to + end - from, true);
        }
    }

    private void check() {
        assertThat(space.free()).isEqualTo(free());
        int from = random.nextInt(taken.length + 1);
        int end = random.nextInt(taken.length + 1);
        assertThat(space.nextFree(from)).isEqualTo(next(from, taken.length, false));
        assertThat(space.nextTaken(from, end)).isEqualTo(next(from, end, true));
        assertThat(space.nextTaken(from, taken.length)).isEqualTo(next(from, taken.length, true));
        assertThat(space.next()).isBetween(0, taken.length);
    }

    @Test
    void itKnowsWhatIsTaken() {
        for (int count : new int[] {1, 2, 31, 63, 64, 65, 127, 128, 129, 200, 640, 1000}) {
            begin(count);
            for (int i = 0; i < 2_000; i++) {
                change();
                check();
            }
            for (int chunk = 0; chunk < count; chunk++) {
                assertThat(space.isTaken(chunk)).isEqualTo(taken[chunk]);
            }
        }
    }

    @Test
    void nothingOfNothingIsFreed() {
        begin(64);
        space.claim(0, 64);
        space.free(64, 0);
        assertThat(space.free()).isZero();
        assertThat(space.nextFree(0)).isEqualTo(64);
        assertThat(space.nextTaken(64, 64)).isEqualTo(64);
    }
}
