package dev.terrace.tier.local.policy;

import java.util.random.RandomGenerator;

/**
 * How many residents there are in every {@value #BLOCK} slots, in the sums of P. M. Fenwick, "A New Data Structure for Cumulative Frequency
 * Tables", Software: Practice and Experience 1994: so one of all is drawn in a few steps, however few they are. Not thread-safe.
 */
final class Residents {
    static final int NONE = -1;

    /** So many that the sums hardly take room: a 64th of a byte a slot. */
    private static final int BLOCK = 256;

    private final Uses uses;
    private final int[] sums;
    private int count;

    Residents(Uses uses) {
        this.uses = uses;
        this.sums = new int[blockOf(uses.slots() - 1) + 1];
    }

    /** Counted from 1. */
    private static int blockOf(int slot) {
        return slot / BLOCK + 1;
    }

    int count() {
        return count;
    }

    void add(int slot) {
        add(slot, 1);
    }

    void remove(int slot) {
        add(slot, -1);
    }

    private void add(int slot, int change) {
        count += change;
        for (int block = blockOf(slot); block < sums.length; block += Integer.lowestOneBit(block)) {
            sums[block] += change;
        }
    }

    /** One of them, each as likely as any other; {@link #NONE} when there is none. */
    int any(RandomGenerator random) {
        if (count == 0) {
            return NONE;
        }
        int before = random.nextInt(count);
        int block = 0;
        for (int step = Integer.highestOneBit(sums.length - 1); step > 0; step >>= 1) {
            int next = block + step;
            if (next < sums.length && sums[next] <= before) {
                before -= sums[next];
                block = next;
            }
        }
        // A late touch can make a free slot look taken, never the other way round: the block has them all.
        int slot = block * BLOCK;
        while (uses.of(slot) == 0 || before-- > 0) {
            slot++;
        }
        return slot;
    }
}
