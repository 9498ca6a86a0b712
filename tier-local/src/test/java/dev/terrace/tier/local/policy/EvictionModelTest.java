package dev.terrace.tier.local.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EvictionModelTest {
    private static final int SLOTS = 97;

    private final long seed = Long.getLong("terrace.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(Simulation.mixed(seed));

    @BeforeEach
    void printSeed() {
        System.out.println("EvictionModelTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
    }

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void victimsAreResidentsAlwaysWhateverIsDone(EvictionPolicy policy) {
        Eviction eviction = Eviction.of(policy, UseCells.onHeap(SLOTS), SLOTS, slot -> 1 + slot, seed);
        long[] resident = new long[SLOTS];
        int count = 0;
        for (int step = 0; step < 40_000; step++) {
            int slot = random.nextInt(SLOTS);
            int action = random.nextInt(10);
            if (action < 6) {
                // Also of free slots: a reader may come late.
                eviction.touched(slot, step);
                if (resident[slot] == 0) {
                    eviction.forget(slot);
                }
            } else if (action < 9 && resident[slot] == 0) {
                resident[slot] = 1 + random.nextLong(200);
                eviction.admitted(slot, Simulation.mixed(resident[slot]));
                count++;
            } else if (resident[slot] != 0) {
                eviction.removed(slot, Simulation.mixed(resident[slot]));
                resident[slot] = 0;
                count--;
            }
            int victim = eviction.victim(random.nextBoolean(), null);
            if (count == 0) {
                assertThat(victim).as("step %d", step).isEqualTo(-1);
            } else {
                assertThat(victim).as("step %d", step).isBetween(0, SLOTS - 1);
                assertThat(resident[victim]).as("step %d", step).isPositive();
            }
        }
    }

    @Test
    void leastRecentlyUsedIsNeverAmongTheRecentHalf() {
        Eviction eviction = Eviction.of(EvictionPolicy.LRU, UseCells.onHeap(SLOTS), SLOTS, slot -> 1, seed);
        List<Integer> order = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
            eviction.admitted(slot, slot);
            order.add(slot);
        }
        for (int step = 0; step < 20_000; step++) {
            Integer slot = random.nextInt(SLOTS);
            eviction.touched(slot, step);
            order.remove(slot);
            order.add(slot);
            // Wrong once in 2^32 by chance.
            assertThat(order.indexOf(eviction.victim(false, null)))
                    .as("step %d", step)
                    .isLessThanOrEqualTo(SLOTS / 2);
        }
    }

    @Test
    void whoJustCameStaysWhereFewAreLeftOfMany() {
        int slots = 100_000;
        Eviction eviction = Eviction.of(EvictionPolicy.LRU, UseCells.onHeap(slots), slots, slot -> 1, seed);
        for (int slot = 0; slot < slots; slot++) {
            eviction.admitted(slot, slot);
        }
        for (int slot = 0; slot < slots; slot++) {
            if (slot % 500 != 0) {
                eviction.removed(slot, slot);
            }
        }
        // 200 are left, idle for long, and one after the other gives way to a newcomer.
        for (int newcomer = 1; newcomer <= 100; newcomer++) {
            int victim = eviction.victim(true, null);
            assertThat(victim % 500)
                    .as("newcomer %d evicts %d", newcomer, victim)
                    .isZero();
            eviction.removed(victim, victim);
            eviction.admitted(newcomer, newcomer);
        }
    }

    @Test
    void s3FifoEvictsWhatThePaperSaysAsLongAsNobodyComesBack() {
        Eviction eviction = Eviction.of(EvictionPolicy.S3_FIFO, UseCells.onHeap(SLOTS), SLOTS, slot -> 1, seed);
        Deque<Integer> small = new ArrayDeque<>();
        Deque<Integer> main = new ArrayDeque<>();
        int[] marks = new int[SLOTS];
        int known = 0;
        for (int step = 0; step < 30_000; step++) {
            if (known > 0 && random.nextInt(3) > 0) {
                int slot = random.nextInt(1 + random.nextInt(known));
                marks[slot] = Math.min(3, marks[slot] + 1);
                eviction.touched(slot, step);
                continue;
            }
            int slot;
            if (known < SLOTS) {
                slot = known++;
            } else {
                slot = evictedBy(small, main, marks);
                assertThat(eviction.victim(false, null)).as("step %d", step).isEqualTo(slot);
                eviction.removed(slot, Simulation.mixed(step) | 1);
            }
            marks[slot] = 0;
            small.addLast(slot);
            // Even, where ghosts are odd: no fingerprint is taken for another.
            eviction.admitted(slot, Simulation.mixed(step) & ~1L);
        }
    }

    private static int evictedBy(Deque<Integer> small, Deque<Integer> main, int[] marks) {
        while (true) {
            if (small.size() >= SLOTS / 10 || main.isEmpty()) {
                int slot = small.removeFirst();
                if (marks[slot] <= 1) {
                    return slot;
                }
                marks[slot] = 0;
                main.addLast(slot);
            } else {
                int slot = main.removeFirst();
                if (marks[slot] == 0) {
                    return slot;
                }
                marks[slot]--;
                main.addLast(slot);
            }
        }
    }

    @Test
    void queuesKeepTheirOrder() {
        Queues queues = new Queues(SLOTS, 2);
        List<Deque<Integer>> model = List.of(new ArrayDeque<>(), new ArrayDeque<>());
        for (int step = 0; step < 20_000; step++) {
            Integer slot = random.nextInt(SLOTS);
            int was = model.get(0).remove(slot) ? 0 : model.get(1).remove(slot) ? 1 : Queues.NONE;
            assertThat(queues.remove(slot)).isEqualTo(was);
            if (random.nextInt(4) > 0) {
                int to = random.nextInt(2);
                queues.append(to, slot);
                model.get(to).addLast(slot);
            }
            for (int of = 0; of < 2; of++) {
                Deque<Integer> expected = model.get(of);
                assertThat(queues.size(of)).isEqualTo(expected.size());
                assertThat(queues.head(of)).isEqualTo(expected.isEmpty() ? Queues.NONE : expected.getFirst());
                assertThat(queues.tail(of)).isEqualTo(expected.isEmpty() ? Queues.NONE : expected.getLast());
            }
        }
    }

    @Test
    void ghostsAreRememberedAsLongAsThereIsRoomAndTakenOnce() {
        Ghosts ghosts = new Ghosts(800);
        int forgotten = 0;
        for (int key = 1; key <= 400; key++) {
            forgotten += ghosts.put(Simulation.mixed(key), key) == 0 ? 0 : 1;
        }
        int found = 0;
        for (int key = 1; key <= 400; key++) {
            found += ghosts.take(Simulation.mixed(key)) == key ? 1 : 0;
            assertThat(ghosts.take(Simulation.mixed(key))).isNotEqualTo(key);
        }
        assertThat(found).as("half full, sets of eight").isGreaterThan(370).isGreaterThanOrEqualTo(400 - forgotten - 8);
        assertThat(ghosts.take(Simulation.mixed(1_000_001))).isZero();
    }
}
