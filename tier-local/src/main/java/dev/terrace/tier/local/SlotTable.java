package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.tier.local.policy.Among;
import dev.terrace.tier.local.policy.Eviction;
import org.jspecify.annotations.Nullable;

/**
 * What is resident, in flat arrays: one slot per entry, no object per entry. A stored value carries its slot's number,
 * so a hit finds its slot without a second look-up. Who goes next is {@link Eviction}'s business.
 *
 * <p>Allocation, release and the choice of a victim take this table's lock, briefly. {@link #touch} writes single array
 * cells without it: a lost update costs a little precision of the order of use, nothing else.
 */
final class SlotTable {
    /** Bytes per slot outside the heap. */
    static final int INDEX_BYTES_PER_SLOT = SlotKeys.BYTES_PER_SLOT + SlotGroups.BYTES_PER_SLOT;

    private static final int FREE = 0;
    private static final int NONE = -1;

    private final SlotKeys keys;
    private final SlotGroups groupOf;
    private final Groups groups;
    private final @Nullable PoolMembers members;
    private final int[] charge;

    /** Of a free slot: the next free one. */
    private final int[] expirySeconds;

    private final Eviction eviction;
    private int freed = NONE;
    private int writes;
    private volatile int highWater;

    SlotTable(int slots, EvictionPolicy policy, Groups groups, long seed) {
        this.keys = new SlotKeys(slots);
        this.groupOf = new SlotGroups(slots);
        this.groups = groups;
        this.members = groups.share() ? new PoolMembers(slots, groups.pools().size()) : null;
        this.charge = new int[slots];
        this.expirySeconds = new int[slots];
        this.eviction = Eviction.of(policy, slots, slot -> Math.max(1, charge[slot]), seed);
    }

    /**
     * Heap bytes per slot.
     *
     * @param policy null for the one that needs most
     */
    static int heapBytesPerSlot(@Nullable EvictionPolicy policy, boolean shares) {
        int eviction = policy == null ? Eviction.MOST_BYTES_PER_SLOT : Eviction.bytesPerSlot(policy);
        return eviction + Integer.BYTES + Integer.BYTES + (shares ? PoolMembers.BYTES_PER_SLOT : 0);
    }

    /** Takes a free slot, or returns -1: the one that became free last, and a number never used only when there is none. */
    synchronized int allocate(long newHigh, long newLow, int newCharge, int expiry, int group) {
        int slot = freed;
        if (slot != NONE) {
            freed = expirySeconds[slot];
        } else if (highWater < charge.length) {
            slot = highWater;
        } else {
            return NONE;
        }
        keys.set(slot, newHigh, newLow);
        expirySeconds[slot] = expiry;
        charge[slot] = newCharge;
        groupOf.set(slot, group);
        eviction.admitted(slot, newHigh);
        if (members != null) {
            members.add(slot, groups.pool(group));
        }
        if (slot >= highWater) {
            highWater = slot + 1;
        }
        return slot;
    }

    /** The entry in {@code slot} was replaced by another version of the same key. */
    void replace(int slot, int newCharge, int expiry) {
        charge[slot] = newCharge;
        expirySeconds[slot] = expiry;
        touch(slot, writes++);
    }

    /** Gives a slot back. */
    synchronized void release(int slot) {
        charge[slot] = FREE;
        eviction.removed(slot, keys.high(slot));
        if (members != null) {
            members.remove(slot);
        }
        keys.set(slot, 0, 0);
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
        while (slot != NONE && charge[slot] == FREE) {
            eviction.forget(slot);
            slot = eviction.victim(byBytes, among);
        }
        return slot;
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
        return charge[slot] != FREE && keys.high(slot) == key.high && keys.low(slot) == key.low;
    }

    void keyOf(int slot, HashKey into) {
        into.set(keys.high(slot), keys.low(slot));
    }

    int groupOf(int slot) {
        return groupOf.of(slot);
    }

    int chargeOf(int slot) {
        return charge[slot];
    }

    /** One past the highest slot ever used. */
    int highWater() {
        return highWater;
    }
}
