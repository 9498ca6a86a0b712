package dev.terrace.tier.local;

import com.kenai.jffi.MemoryIO;

/**
 * Whose each slot is: the 128-bit key, what the entry takes and its group, beside each other, because whoever asks for the one asks for the others. Outside
 * the heap: collectors need not know of them. Reading and writing one slot at a time is safe beside others; who reads a slot that is being
 * written may see parts of each, and looks again under a lock. The memory lasts as long as this object.
 */
final class SlotRecords {
    static final int BYTES_PER_SLOT = 3 * Long.BYTES;
    private static final MemoryIO MEMORY = MemoryIO.getInstance();

    private final long address;
    private final int slots;

    /** Of free slots. */
    SlotRecords(int slots) {
        this.slots = slots;
        this.address = NativeMemory.zeroedFor(this, (long) slots * BYTES_PER_SLOT, false);
    }

    int slots() {
        return slots;
    }

    private long at(int slot) {
        return address + (long) slot * BYTES_PER_SLOT;
    }

    long high(int slot) {
        return MEMORY.getLong(at(slot));
    }

    long low(int slot) {
        return MEMORY.getLong(at(slot) + Long.BYTES);
    }

    /** 0 when the slot is free. */
    int charge(int slot) {
        return (int) (MEMORY.getLong(at(slot) + 2 * Long.BYTES) >>> Integer.SIZE);
    }

    int group(int slot) {
        return (int) MEMORY.getLong(at(slot) + 2 * Long.BYTES);
    }

    void charge(int slot, int charge) {
        MEMORY.putLong(at(slot) + 2 * Long.BYTES, (long) charge << Integer.SIZE | group(slot));
    }

    void set(int slot, long high, long low, int charge, int group) {
        long at = at(slot);
        MEMORY.putLong(at, high);
        MEMORY.putLong(at + Long.BYTES, low);
        MEMORY.putLong(at + 2 * Long.BYTES, (long) charge << Integer.SIZE | group);
    }
}
