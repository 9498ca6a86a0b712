package dev.terrace.tier.local;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * From a fingerprint of the hash to the chunk where a record begins, and its slot: open addressing with linear probing, outside the heap, at most two thirds
 * full. Its owner excludes writers from each other; a reader beside a writer may see nonsense, but nothing outside, and ends.
 */
class Places {
    static final int NONE = -1;
    private static final int BYTES_PER_PLACE = Long.BYTES + Integer.BYTES;

    private final LongBuffer cells;
    private final IntBuffer slots;
    private final int mask;
    private int held;

    Places(int capacity) {
        int size = Integer.highestOneBit(Math.max(8, capacity + capacity / 2) - 1) << 1;
        this.cells = ByteBuffer.allocateDirect(size * Long.BYTES).asLongBuffer();
        this.slots = ByteBuffer.allocateDirect(size * Integer.BYTES).asIntBuffer();
        this.mask = size - 1;
    }

    static int fingerprint(HashKey key) {
        return (int) key.high;
    }

    long bytes() {
        return (long) cells.capacity() * BYTES_PER_PLACE;
    }

    int held() {
        return held;
    }

    boolean isFull() {
        return held >= cells.capacity() / 3 * 2;
    }

    /** The same, with twice the room. */
    Places grown() {
        Places larger = new Places(cells.capacity());
        for (int i = 0; i < cells.capacity(); i++) {
            if (cells.get(i) != 0) {
                larger.add(fingerprintOf(cells.get(i)), chunkOf(cells.get(i)), slots.get(i));
            }
        }
        return larger;
    }

    private int home(int fingerprint) {
        int spread = fingerprint * 0x9E3779B9;
        return (spread ^ spread >>> 15) & mask;
    }

    private static int chunkOf(long cell) {
        return (int) cell - 1;
    }

    private static int fingerprintOf(long cell) {
        return (int) (cell >>> Integer.SIZE);
    }

    private static long cell(int fingerprint, int chunk) {
        return (long) fingerprint << Integer.SIZE | chunk + 1;
    }

    /** The first cell to look at for a fingerprint; then {@link #next}. */
    int first(int fingerprint) {
        return sought(home(fingerprint), fingerprint);
    }

    /** The next cell with this fingerprint after {@code cell}, or {@link #NONE}. */
    int next(int cell, int fingerprint) {
        return sought(cell + 1 & mask, fingerprint);
    }

    private int sought(int from, int fingerprint) {
        int at = from;
        for (int step = 0; step <= mask; step++) {
            long cell = cells.get(at);
            if (cell == 0) {
                return NONE;
            }
            if (fingerprintOf(cell) == fingerprint) {
                return at;
            }
            at = at + 1 & mask;
        }
        return NONE;
    }

    /** All chunks in their order, each as the upper half of a number, above what {@code of} says of its cell. */
    long[] sorted(IntUnaryOperator of) {
        long[] all = new long[held];
        int found = 0;
        for (int cell = 0; cell <= mask; cell++) {
            if (cells.get(cell) != 0) {
                all[found++] = (long) chunkAt(cell) << Integer.SIZE | of.applyAsInt(cell) & 0xFFFF_FFFFL;
            }
        }
        Arrays.sort(all);
        return all;
    }

    int chunkAt(int cell) {
        return chunkOf(cells.get(cell));
    }

    int slotAt(int cell) {
        return slots.get(cell);
    }

    void add(int fingerprint, int chunk, int slot) {
        int at = home(fingerprint);
        while (cells.get(at) != 0) {
            at = at + 1 & mask;
        }
        cells.put(at, cell(fingerprint, chunk));
        slots.put(at, slot);
        held++;
    }

    void replace(int cell, int chunk, int slot) {
        slots.put(cell, slot);
        cells.put(cell, cell(fingerprintOf(cells.get(cell)), chunk));
    }

    /** Gives every slot the number that {@code of} says. */
    void renumber(IntUnaryOperator of) {
        for (int cell = 0; cell <= mask; cell++) {
            if (cells.get(cell) != 0) {
                slots.put(cell, of.applyAsInt(slots.get(cell)));
            }
        }
    }

    /** Closes the hole by moving back what was pushed over it. */
    void remove(int cell) {
        int hole = cell;
        int at = cell + 1 & mask;
        while (cells.get(at) != 0) {
            int home = home(fingerprintOf(cells.get(at)));
            if ((at - home & mask) >= (at - hole & mask)) {
                cells.put(hole, cells.get(at));
                slots.put(hole, slots.get(at));
                hole = at;
            }
            at = at + 1 & mask;
        }
        cells.put(hole, 0);
        held--;
    }
}
