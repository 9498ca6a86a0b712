package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.tier.local.policy.Among;
import dev.terrace.tier.local.policy.Eviction;
import dev.terrace.tier.local.policy.UseCells;
import org.jspecify.annotations.Nullable;

/**
 * What is resident, in flat arrays: one slot per entry, no object per entry. A hit brings its slot's number, without a second look-up. Who goes
 * next is {@link Eviction}'s business.
 *
 * <p>Allocation, release and the choice of a victim take this table's lock, briefly. {@link #touch} writes single array
 * cells without it: a lost update costs a little precision of the order of use, nothing else.
 */
final class SlotTable {
    /** Bytes per slot outside the heap. */
    static final int INDEX_BYTES_PER_SLOT = SlotRecords.BYTES_PER_SLOT;

    private static final int FREE = 0;
    private static final int NONE = -1;

    private final SlotRecords records;
    private final Groups groups;
    private final @Nullable PoolMembers members;

    /** Of a free slot: the next free one. */
    private final int[] expirySeconds;

    private final Eviction eviction;
    /** Where the free ones begin that were in use; only those of {@link #allocate} are taken from there. */
    private int freed = NONE;

    private int writes;
    private volatile int highWater;

    /**
     * Of free slots.
     *
     * @param own of a map that finds the slots; null for as many as there may be entries
     * @param capacity how many entries there may be at a time
     */
    SlotTable(@Nullable UseCells own, long capacity, EvictionPolicy policy, Groups groups, long seed) {
        int slots = own == null ? (int) capacity : own.slots();
        this.records = new SlotRecords(slots);
        this.groups = groups;
        this.members = groups.share() ? new PoolMembers(slots, groups.pools().size()) : null;
        this.expirySeconds = new int[slots];
        this.eviction = Eviction.of(
                policy,
                own == null ? UseCells.onHeap(slots) : own,
                (int) Math.min(capacity, slots),
                slot -> Math.max(1, records.charge(slot)),
                seed);
    }

    /** How many there are, in use or not. */
    int slots() {
        return records.slots();
    }

    /**
     * Heap bytes per slot.
     *
     * @param policy null for the one that needs most
     * @param own whether slots are those of a map, with the states of their uses
     */
    static int heapBytesPerSlot(@Nullable EvictionPolicy policy, boolean shares, boolean own) {
        int eviction = (policy == null ? Eviction.MOST_BYTES_PER_SLOT : Eviction.bytesPerSlot(policy))
                - (own ? Long.BYTES : 0);
        return eviction + Integer.BYTES + (shares ? PoolMembers.BYTES_PER_SLOT : 0);
    }

    /**
     * Takes a free slot, or returns -1: the one that became free last, and a number never used only when there is none. For maps without slots
     * of their own.
     */
    synchronized int allocate(long newHigh, long newLow, int newCharge, int expiry, int group) {
        int slot = freed;
        if (slot != NONE) {
            freed = expirySeconds[slot];
        } else if (highWater < records.slots()) {
            slot = highWater;
        } else {
            return NONE;
        }
        begin(slot, newHigh, newLow, newCharge, expiry, group);
        return slot;
    }

    /** An entry has come into a slot that was free. */
    synchronized void begin(int slot, long newHigh, long newLow, int newCharge, int expiry, int group) {
        records.set(slot, newHigh, newLow, newCharge, group);
        expirySeconds[slot] = expiry;
        eviction.admitted(slot, newHigh);
        if (members != null) {
            members.add(slot, groups.pool(group));
        }
        if (slot >= highWater) {
            highWater = slot + 1;
        }
    }

    /** The entry in {@code slot} was replaced by another version of the same key. */
    void replace(int slot, int newCharge, int expiry) {
        expirySeconds[slot] = expiry;
        if (records.charge(slot) != newCharge) {
            records.charge(slot, newCharge);
            eviction.resized(slot);
        }
        touch(slot, writes++);
    }

    /** Gives a slot back. */
    synchronized void release(int slot) {
        eviction.removed(slot, records.high(slot));
        if (members != null) {
            members.remove(slot);
        }
        records.set(slot, 0, 0, FREE, 0);
        expirySeconds[slot] = freed;
        freed = slot;
    }

    /**
     * Notes a use.
     *
     * @param ticket what each thread counts up by one per call
     */
    void touch(int slot, int ticket) {
        eviction.touched(slot, ticket);
    }

    /**
     * The resident slot that should go next, or -1 when there is none.
     *
     * @param byBytes whether bytes are short, rather than slots
     * @param pools of which pools, one bit each; all bits for any
     */
    synchronized int victim(boolean byBytes, long pools) {
        return victim(byBytes, members == null || pools == -1 ? null : members.of(pools));
    }

    /** The same of those who are {@code among} some; null for all. */
    synchronized int victim(boolean byBytes, @Nullable Among among) {
        int slot = eviction.victim(byBytes, among);
        while (slot != NONE && records.charge(slot) == FREE) {
            eviction.forget(slot);
            slot = eviction.victim(byBytes, among);
        }
        return slot;
    }

    /** Whether there is such a slot at all, in use or not. */
    boolean exists(int slot) {
        return slot >= 0 && slot < records.slots();
    }

    boolean isResident(int slot) {
        return records.charge(slot) != FREE;
    }

    boolean isExpired(int slot, int nowSeconds) {
        return expirySeconds[slot] < nowSeconds && records.charge(slot) != FREE;
    }

    boolean holds(int slot, HashKey key) {
        return records.charge(slot) != FREE && records.high(slot) == key.high && records.low(slot) == key.low;
    }

    void keyOf(int slot, HashKey into) {
        into.set(records.high(slot), records.low(slot));
    }

    int groupOf(int slot) {
        return records.group(slot);
    }

    int chargeOf(int slot) {
        return records.charge(slot);
    }

    /** One past the highest slot ever used. */
    int highWater() {
        return highWater;
    }
}
