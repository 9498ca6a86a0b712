package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.util.SplittableRandom;

/**
 * What is resident, in flat arrays: one slot per entry, no object per entry. A stored value carries its slot's number,
 * so a hit finds its slot without a second look-up.
 *
 * <p>Allocation and release take this table's lock, briefly. {@link #touch} and the sampling of {@link #victim} read and
 * write single array cells without it: a lost update costs a little precision of the order of use, nothing else.
 */
final class SlotTable {
    /** Heap bytes per slot. */
    static final int BYTES_PER_SLOT = 8 + 8 + 4 + 4 + 4 + 4;

    /** How many candidates are compared for each eviction. */
    private static final int SAMPLE = 8;

    private static final int FREE = 0;

    private final long[] high;
    private final long[] low;
    private final int[] charge;
    private final int[] use;
    private final int[] expirySeconds;
    private final int[] free;
    private final boolean frequency;
    private final SplittableRandom random;
    private int freeCount;
    private volatile int highWater;

    SlotTable(int slots, EvictionPolicy policy, SplittableRandom random) {
        this.high = new long[slots];
        this.low = new long[slots];
        this.charge = new int[slots];
        this.use = new int[slots];
        this.expirySeconds = new int[slots];
        this.free = new int[slots];
        this.frequency = policy == EvictionPolicy.LFU;
        this.random = random;
        // The stack hands out low numbers first, which keeps the part to sample small while the table is not full.
        for (int i = 0; i < slots; i++) {
            free[i] = slots - 1 - i;
        }
        this.freeCount = slots;
    }

    /** Takes a free slot, or returns -1. */
    synchronized int allocate(long newHigh, long newLow, int newCharge, int expiry, int now) {
        if (freeCount == 0) {
            return -1;
        }
        int slot = free[--freeCount];
        high[slot] = newHigh;
        low[slot] = newLow;
        use[slot] = frequency ? 1 : now;
        expirySeconds[slot] = expiry;
        charge[slot] = newCharge;
        if (slot >= highWater) {
            highWater = slot + 1;
        }
        return slot;
    }

    /** The entry in {@code slot} was replaced by another version of the same key. */
    void replace(int slot, int newCharge, int expiry, int now) {
        charge[slot] = newCharge;
        expirySeconds[slot] = expiry;
        touch(slot, now);
    }

    /** Gives a slot back. */
    synchronized void release(int slot) {
        charge[slot] = FREE;
        high[slot] = 0;
        low[slot] = 0;
        free[freeCount++] = slot;
    }

    /** Notes a read. */
    void touch(int slot, int now) {
        if (!frequency) {
            use[slot] = now;
        } else if (use[slot] < Integer.MAX_VALUE) {
            use[slot]++;
        }
    }

    /** The resident slot that should go next, or -1 when none was found among the sampled. */
    synchronized int victim() {
        int bound = highWater;
        int chosen = -1;
        int found = 0;
        for (int tries = 0; bound > 0 && found < SAMPLE && tries < 16 * SAMPLE; tries++) {
            int slot = random.nextInt(bound);
            if (charge[slot] == FREE) {
                continue;
            }
            found++;
            if (chosen < 0 || goesBefore(slot, chosen)) {
                chosen = slot;
            }
            if (frequency) {
                // Ageing: what was popular once must not stay for ever.
                use[slot] -= use[slot] >>> 4;
            }
        }
        return chosen >= 0 ? chosen : anyResident(bound);
    }

    private boolean goesBefore(int slot, int other) {
        // Ticks wrap around; their difference does not, within 24 days.
        return frequency ? use[slot] < use[other] : use[slot] - use[other] < 0;
    }

    private int anyResident(int bound) {
        int start = bound == 0 ? 0 : random.nextInt(bound);
        for (int i = 0; i < bound; i++) {
            int slot = (start + i) % bound;
            if (charge[slot] != FREE) {
                return slot;
            }
        }
        return -1;
    }

    /** Whether there is such a slot at all, in use or not. */
    boolean exists(int slot) {
        return slot >= 0 && slot < charge.length;
    }

    boolean isResident(int slot) {
        return charge[slot] != FREE;
    }

    boolean isExpired(int slot, int nowSeconds) {
        return charge[slot] != FREE && expirySeconds[slot] < nowSeconds;
    }

    boolean holds(int slot, HashKey key) {
        return charge[slot] != FREE && high[slot] == key.high && low[slot] == key.low;
    }

    void keyOf(int slot, HashKey into) {
        into.set(high[slot], low[slot]);
    }

    int chargeOf(int slot) {
        return charge[slot];
    }

    /** One past the highest slot ever used. */
    int highWater() {
        return highWater;
    }
}
