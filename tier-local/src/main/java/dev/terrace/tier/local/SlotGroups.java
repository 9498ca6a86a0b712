package dev.terrace.tier.local;

import java.nio.ByteBuffer;
import java.nio.ShortBuffer;

/** The group of each slot's entry, outside the heap in few large pieces. Single cells are read and written without a lock. */
final class SlotGroups {
    static final int BYTES_PER_SLOT = Short.BYTES;
    private static final int PIECE_BITS = 24;
    private static final int PIECE = 1 << PIECE_BITS;

    private final ShortBuffer[] pieces;

    SlotGroups(int slots) {
        pieces = new ShortBuffer[(slots + PIECE - 1) / PIECE];
        for (int i = 0; i < pieces.length; i++) {
            int here = Math.min(PIECE, slots - (i << PIECE_BITS));
            pieces[i] = ByteBuffer.allocateDirect(here * BYTES_PER_SLOT).asShortBuffer();
        }
    }

    int of(int slot) {
        return pieces[slot >>> PIECE_BITS].get(slot & PIECE - 1);
    }

    void set(int slot, int group) {
        pieces[slot >>> PIECE_BITS].put(slot & PIECE - 1, (short) group);
    }
}
