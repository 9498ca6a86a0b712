package dev.terrace.tier.local;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/**
 * Whose each slot is: the 128-bit key, what the entry takes and its group, beside each other, because whoever asks for the one asks for the others. Outside
 * the heap in few large pieces: collectors need not know of them. Reading and writing one slot at a time is safe beside others; who reads a
 * slot that is being written may see parts of each, and looks again under a lock.
 */
final class SlotRecords {
    static final int BYTES_PER_SLOT = 3 * Long.BYTES;
    private static final int LONGS = 3;
    private static final int PIECE_BITS = 22;
    private static final int PIECE = 1 << PIECE_BITS;

    private final LongBuffer[] pieces;
    private final int slots;

    SlotRecords(int slots) {
        this.slots = slots;
        pieces = new LongBuffer[(slots + PIECE - 1) / PIECE];
        for (int i = 0; i < pieces.length; i++) {
            int here = Math.min(PIECE, slots - (i << PIECE_BITS));
            pieces[i] = ByteBuffer.allocateDirect(here * BYTES_PER_SLOT)
                    .order(ByteOrder.nativeOrder())
                    .asLongBuffer();
        }
    }

    int slots() {
        return slots;
    }

    private LongBuffer piece(int slot) {
        return pieces[slot >>> PIECE_BITS];
    }

    private static int at(int slot) {
        return (slot & PIECE - 1) * LONGS;
    }

    long high(int slot) {
        return piece(slot).get(at(slot));
    }

    long low(int slot) {
        return piece(slot).get(at(slot) + 1);
    }

    /** 0 when the slot is free. */
    int charge(int slot) {
        return (int) (piece(slot).get(at(slot) + 2) >>> Integer.SIZE);
    }

    int group(int slot) {
        return (int) piece(slot).get(at(slot) + 2);
    }

    void charge(int slot, int charge) {
        piece(slot).put(at(slot) + 2, (long) charge << Integer.SIZE | group(slot));
    }

    void set(int slot, long high, long low, int charge, int group) {
        LongBuffer piece = piece(slot);
        int at = at(slot);
        piece.put(at, high);
        piece.put(at + 1, low);
        piece.put(at + 2, (long) charge << Integer.SIZE | group);
    }
}
