package dev.terrace.tier.backup;

import javax.crypto.SecretKey;

/** A sub-key with what it gives. Immutable. */
final class SealingSubKey {
    private final SubKey subKey;
    private final SecretKey secret;
    private final byte[] binding = new byte[2 * Long.BYTES];

    SealingSubKey(SubKey subKey, SecretKey secret) {
        this.subKey = subKey;
        this.secret = secret;
        Cursor.putNumber(binding, 0, subKey.id(), Long.BYTES);
        Cursor.putNumber(binding, Long.BYTES, subKey.keyId(), Long.BYTES);
    }

    SubKey subKey() {
        return subKey;
    }

    SecretKey secret() {
        return secret;
    }

    /** Its whole id and that of its data key, associated with what it seals; callers must not write to it. */
    byte[] binding() {
        return binding;
    }

    /** What records of format 2 call a sub-key: the lowest 16 bits of its id. */
    static int referenceOf(SubKey subKey) {
        return (int) subKey.id() & 0xFFFF;
    }

    int reference() {
        return referenceOf(subKey);
    }
}
