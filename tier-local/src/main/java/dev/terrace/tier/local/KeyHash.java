package dev.terrace.tier.local;

import net.openhft.hashing.LongTupleHashFunction;

/** Hashes cache name and key to 128 bits. A seam, so that tests can force collisions. */
@FunctionalInterface
interface KeyHash {
    /** XXH128, which allocates nothing. The name's length is mixed in: the split is part of the identity. */
    KeyHash XXH128 = new KeyHash() {
        private final LongTupleHashFunction function = LongTupleHashFunction.xx128();

        @Override
        public void hash(byte[] nameAndKey, int length, int nameLength, long[] into) {
            function.hashBytes(nameAndKey, 0, length, into);
            into[0] ^= nameLength * 0x9E3779B97F4A7C15L;
        }
    };

    /** Writes the two halves into {@code into}. */
    void hash(byte[] nameAndKey, int length, int nameLength, long[] into);
}
