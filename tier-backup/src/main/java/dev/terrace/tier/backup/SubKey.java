package dev.terrace.tier.backup;

import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * What makes one sub-key from a data key. Nothing in here is secret.
 *
 * @param id names it in records: random, at least 2^32, so that files of several folders can be brought together; below
 *     that, those of key files of format 1, which counted from 1 in each folder
 * @param keyId which data key
 * @param createdMillis when it was made
 * @param endedMillis when it was known that nothing more is sealed with it; 0 while that may happen
 * @param salt {@value #SALT_BYTES} random bytes
 * @param commitment {@value #COMMITMENT_BYTES} bytes that only this data key and this salt give: compared before
 *     anything is opened, because AES-GCM itself does not say which key a ciphertext belongs to
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SubKey(long id, long keyId, long createdMillis, long endedMillis, byte[] salt, byte[] commitment) {
    static final int SALT_BYTES = 32;
    static final int COMMITMENT_BYTES = 16;

    /** Smaller ids are those of format 1. */
    static final long FIRST_ID = 1L << 32;

    static SubKey of(long id, RingKey key, long createdMillis, long endedMillis, byte[] salt) {
        return new SubKey(id, key.id(), createdMillis, endedMillis, salt, commitment(key.required(), salt));
    }

    private static byte[] commitment(byte[] dataKey, byte[] salt) {
        return Arrays.copyOf(Hkdf.derive(dataKey, salt, "commitment"), COMMITMENT_BYTES);
    }

    SubKey ended(long nowMillis) {
        return new SubKey(id, keyId, createdMillis, nowMillis, salt, commitment);
    }

    /** What records of format 1 call it. */
    int shortId() {
        return (int) id;
    }

    /** The sub-key, or null when {@code dataKey} or the salt is not what it was. */
    @Nullable
    SecretKey derive(byte[] dataKey) {
        return MessageDigest.isEqual(commitment, commitment(dataKey, salt))
                ? new SecretKeySpec(Hkdf.derive(dataKey, salt, "records"), "AES")
                : null;
    }
}
