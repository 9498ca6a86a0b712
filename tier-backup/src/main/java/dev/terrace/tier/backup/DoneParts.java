package dev.terrace.tier.backup;

import java.util.BitSet;

/** Which parts of a writer's key hashes the tier holds by now. Thread-safe. */
final class DoneParts {
    private final BitSet parts;

    DoneParts(BitSet before) {
        this.parts = (BitSet) before.clone();
    }

    synchronized boolean has(int part) {
        return parts.get(part);
    }

    boolean has(byte[] hash) {
        return has(hash[0] & 0xFF);
    }

    synchronized void add(int part) {
        parts.set(part);
    }

    synchronized int count() {
        return parts.cardinality();
    }

    synchronized BitSet copy() {
        return (BitSet) parts.clone();
    }

    /** The least hash of a part. */
    static byte[] beginning(int part) {
        byte[] hash = new byte[KeyHash.BYTES];
        hash[0] = (byte) part;
        return hash;
    }
}
