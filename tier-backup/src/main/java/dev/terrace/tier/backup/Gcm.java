package dev.terrace.tier.backup;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;

/**
 * AES-256-GCM (NIST SP 800-38D) of records, with counted nonces. Ciphers are costly to make, so each thread keeps one.
 */
final class Gcm {
    static final int TAG_BYTES = AesGcm.TAG_BYTES;

    private static final ThreadLocal<Cipher> CIPHERS = ThreadLocal.withInitial(() -> {
        try {
            return Cipher.getInstance(AesGcm.TRANSFORMATION);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES/GCM", e);
        }
    });

    private Gcm() {}

    static void releaseThread() {
        CIPHERS.remove();
    }

    private static Cipher cipher(int mode, SecretKey key, long counter) throws GeneralSecurityException {
        Cipher cipher = CIPHERS.get();
        cipher.init(mode, key, SealingKey.nonce(counter));
        return cipher;
    }

    /**
     * Seals a body behind its header.
     *
     * @param out begins with {@code headerBytes} that are associated, too; the body and its tag follow there
     * @param associated further data that must be the same when it is opened
     */
    static void seal(
            SecretKey key,
            long counter,
            byte[] body,
            int from,
            int length,
            byte[] out,
            int headerBytes,
            byte[]... associated) {
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, counter);
            cipher.updateAAD(out, 0, headerBytes);
            for (byte[] more : associated) {
                cipher.updateAAD(more);
            }
            cipher.doFinal(body, from, length, out, headerBytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sealing a record failed", e);
        }
    }

    /**
     * Opens what {@link #seal} has sealed.
     *
     * @param header begins with the associated header, as long as {@code from} says
     * @return length of the body
     * @throws GeneralSecurityException when a bit of anything is not what it was
     */
    static int open(
            SecretKey key,
            long counter,
            byte[] sealed,
            int from,
            int length,
            byte[] out,
            int to,
            byte[] header,
            byte[]... associated)
            throws GeneralSecurityException {
        Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, counter);
        cipher.updateAAD(header, 0, from);
        for (byte[] more : associated) {
            cipher.updateAAD(more);
        }
        return cipher.doFinal(sealed, from, length, out, to);
    }
}
