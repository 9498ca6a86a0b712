package dev.terrace.tier.local;

/** The 128-bit key of what is held. Reusable. */
final class HashKey {
    /** Length on the wire. */
    static final int BYTES = 16;

    long high;
    long low;

    HashKey set(long newHigh, long newLow) {
        high = newHigh;
        low = newLow;
        return this;
    }
}
