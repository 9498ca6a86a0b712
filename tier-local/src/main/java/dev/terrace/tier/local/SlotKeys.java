package dev.terrace.tier.local;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;

/**
 * The 128-bit key of each slot, outside the heap in few large pieces: collectors need not know of them. Reading and writing one slot at a
 * time is safe beside others; who reads a slot that is being written may see half of each, and looks again under a lock.
 */
final class SlotKeys {
    static final int BYTES_PER_SLOT = HashKey.BYTES;
    private static final int PIECE_BITS = 22;
    private static final int PIECE = 1 << PIECE_BITS;

    private final LongBuffer[] pieces;

    SlotKeys(int slots) {
        pieces = new LongBuffer[(slots + PIECE - 1) / PIECE];
        for (int i = 0; i < pieces.length; i++) {
            int here = Math.min(PIECE, slots - (i << PIECE_BITS));
            pieces[i] = ByteBuffer.allocateDirect(here * BYTES_PER_SLOT).asLongBuffer();
        }
    }

    long high(int slot) {
        return pieces[slot >>> PIECE_BITS].get((slot & PIECE - 1) * 2);
    }

    long low(int slot) {
        return pieces[slot >>> PIECE_BITS].get((slot & PIECE - 1) * 2 + 1);
    }

    void set(int slot, long high, long low) {
        LongBuffer piece = pieces[slot >>> PIECE_BITS];
        piece.put((slot & PIECE - 1) * 2, high);
        piece.put((slot & PIECE - 1) * 2 + 1, low);
    }
}
