package dev.terrace.tier.local;

import java.util.concurrent.atomic.AtomicLongArray;

/** The slots whose entries an earlier process left and nobody has confirmed yet, a bit each. Thread-safe. */
final class Doubts {
    private final AtomicLongArray bits;

    Doubts(int slots) {
        bits = new AtomicLongArray(slots / Long.SIZE + 1);
    }

    /** Once it is false, whoever asks the map for the slot's entry does not find the doubted one any more. */
    boolean isSet(int slot) {
        return (bits.getAcquire(slot / Long.SIZE) & 1L << slot) != 0;
    }

    void set(int slot) {
        bits.getAndAccumulate(slot / Long.SIZE, 1L << slot, (held, bit) -> held | bit);
    }

    void clear(int slot) {
        if (isSet(slot)) {
            bits.getAndAccumulate(slot / Long.SIZE, 1L << slot, (held, bit) -> held & ~bit);
        }
    }

    long count() {
        long count = 0;
        for (int i = 0; i < bits.length(); i++) {
            count += Long.bitCount(bits.getOpaque(i));
        }
        return count;
    }
}
