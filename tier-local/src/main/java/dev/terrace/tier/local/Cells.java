package dev.terrace.tier.local;

import com.kenai.jffi.MemoryIO;
import dev.terrace.tier.local.policy.UseCells;

/**
 * The index of a map in memory: a cell of 16 bytes for each slot, with what tells where its entry lies, and the state of its use beside
 * that, so that a hit finds both in one line of the processor's cache. The memory lasts as long as this object: whoever comes late, after the map
 * was closed, finds old cells, and nothing worse.
 */
final class Cells implements UseCells {
    static final int BYTES_PER_SLOT = 2 * Long.BYTES;

    private static final MemoryIO MEMORY = MemoryIO.getInstance();
    private static final int SHIFT = 4;

    private final long address;
    private final int slots;

    /** @param huge whether in huge pages */
    Cells(int slots, boolean huge) {
        this.slots = slots;
        this.address = NativeMemory.zeroedFor(this, (long) slots * BYTES_PER_SLOT, huge);
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public boolean areByHash() {
        return true;
    }

    /** What its owner keeps there; 0 at first. */
    long word(int slot) {
        return MEMORY.getLong(address + ((long) slot << SHIFT));
    }

    void word(int slot, long word) {
        MEMORY.putLong(address + ((long) slot << SHIFT), word);
    }

    @Override
    public long get(int slot) {
        return MEMORY.getLong(address + ((long) slot << SHIFT) + Long.BYTES);
    }

    @Override
    public void set(int slot, long use) {
        MEMORY.putLong(address + ((long) slot << SHIFT) + Long.BYTES, use);
    }
}
