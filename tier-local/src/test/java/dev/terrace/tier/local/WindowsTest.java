package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WindowsTest {
    private static final int CHUNKS = 40;

    private record Run(int start, int length) {
        boolean meets(int from, int wanted) {
            return start < from + wanted && from < start + length;
        }
    }

    /** Runs with gaps between some of them; the slot of each is its number. */
    private static List<Run> random(SplittableRandom random) {
        List<Run> runs = new ArrayList<>();
        for (int at = random.nextInt(4); at < CHUNKS; ) {
            int length = Math.min(1 + random.nextInt(6), CHUNKS - at);
            runs.add(new Run(at, length));
            at += length + (random.nextBoolean() ? 0 : random.nextInt(5));
        }
        return runs;
    }

    private static long cost(List<Run> runs, List<Integer> going) {
        return going.size() * 1_000L
                + going.stream().mapToInt(slot -> runs.get(slot).length()).sum();
    }

    @Test
    void asFewGoAsCanAndOnlyWhoMayAndThenThereIsRoom() {
        SplittableRandom random = LocalFixture.random(getClass());
        for (int round = 0; round < 2_000; round++) {
            List<Run> runs = random(random);
            boolean[] stays = new boolean[runs.size()];
            Chunks chunks = new Chunks(CHUNKS);
            long[] places = new long[runs.size()];
            for (int i = 0; i < places.length; i++) {
                stays[i] = random.nextInt(8) == 0;
                chunks.claim(runs.get(i).start(), runs.get(i).length());
                places[i] = (long) runs.get(i).start() << Integer.SIZE | i;
            }
            int wanted = 1 + random.nextInt(12);
            long least = Long.MAX_VALUE;
            for (int from = 0; from + wanted <= CHUNKS; from++) {
                List<Integer> there = new ArrayList<>();
                boolean blocked = false;
                for (int i = 0; i < places.length; i++) {
                    if (runs.get(i).meets(from, wanted)) {
                        there.add(i);
                        blocked |= stays[i];
                    }
                }
                least = blocked ? least : Math.min(least, cost(runs, there));
            }
            int[] found = new Windows(chunks, CHUNKS, places).cheapest(wanted, slot -> !stays[slot]);
            if (least == Long.MAX_VALUE) {
                assertThat(found).as("round %d", round).isNull();
            } else {
                assertThat(found).as("round %d", round).isNotNull();
                assertThat(cost(runs, Arrays.stream(found).boxed().toList()))
                        .as("round %d", round)
                        .isEqualTo(least);
                Arrays.stream(found).forEach(slot -> chunks.free(runs.get(slot).start()));
                assertThat(chunks.take(wanted)).as("round %d", round).isNotNegative();
            }
        }
    }
}
