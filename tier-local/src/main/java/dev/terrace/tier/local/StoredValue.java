package dev.terrace.tier.local;

import java.util.Arrays;

/**
 * What is stored under a hash: the number of the entry's slot, until when L1 may answer it, and the envelope.
 * Reusable; the array only grows, until another is put in its place.
 */
final class StoredValue {
    /** Bytes before the envelope. */
    static final int PREFIX_BYTES = Integer.BYTES + Long.BYTES;

    /** No entry has this slot. */
    static final int NO_SLOT = -1;

    /** An array grows to twice its size, so that it does not grow often, but by that not beyond this. */
    private static final int LARGEST_DOUBLED = 1 << 20;

    private static final int LARGEST_KEPT = 64 << 10;

    private static final byte[] NOTHING = {};

    int slot;
    long deadlineMillis;
    byte[] envelope;
    int length;

    /** Makes its array when it is read into. */
    StoredValue() {
        this(NOTHING);
    }

    private StoredValue(byte[] envelope) {
        this.envelope = envelope;
    }

    /** Makes room for an envelope of {@code bytes}, whose old content is lost. */
    void resize(int bytes) {
        if (envelope.length < bytes) {
            envelope = new byte[Math.max(bytes, Math.min(LARGEST_DOUBLED, envelope.length * 2))];
        }
        length = bytes;
    }

    /** Lets go of the array, which is another's by now. */
    void release() {
        envelope = NOTHING;
        length = 0;
    }

    /** Keeps the array for what is read next, unless it is large. */
    void reset() {
        if (envelope.length > LARGEST_KEPT) {
            release();
        }
    }

    /** Something was there and cannot be read. */
    void damaged() {
        slot = NO_SLOT;
        deadlineMillis = Long.MAX_VALUE;
        length = 0;
    }

    /** Of a whole envelope, which is not copied. */
    static StoredValue of(int slot, long deadlineMillis, byte[] envelope) {
        StoredValue value = new StoredValue(envelope);
        value.slot = slot;
        value.deadlineMillis = deadlineMillis;
        value.length = envelope.length;
        return value;
    }

    byte[] copy() {
        return Arrays.copyOf(envelope, length);
    }
}
