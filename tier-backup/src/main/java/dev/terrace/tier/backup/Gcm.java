package dev.terrace.tier.backup;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;

/**
 * AES-256-GCM (NIST SP 800-38D) of records, with counted nonces. What it needs is costly to make, so each thread keeps one.
 */
final class Gcm {
    static final int TAG_BYTES = AesGcm.TAG_BYTES;

    private static final ThreadLocal<Gcm> OF_THREAD = ThreadLocal.withInitial(Gcm::new);

    private final Cipher cipher;

    /** All associated data in one piece: the JDK's cipher gathers pieces in a buffer of its own that grows with each. */
    private byte[] associated = new byte[256];

    private Gcm() {
        try {
            cipher = Cipher.getInstance(AesGcm.TRANSFORMATION);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES/GCM", e);
        }
    }

    static void releaseThread() {
        OF_THREAD.remove();
    }

    private static Cipher cipher(int mode, SecretKey key, long counter, byte[] header, int headerBytes, byte[]... more)
            throws GeneralSecurityException {
        Gcm mine = OF_THREAD.get();
        mine.cipher.init(mode, key, SealingKey.nonce(counter));
        mine.cipher.updateAAD(mine.associated, 0, mine.gather(header, headerBytes, more));
        return mine.cipher;
    }

    private int gather(byte[] header, int headerBytes, byte[]... more) {
        int length = headerBytes;
        for (byte[] one : more) {
            length += one.length;
        }
        if (associated.length < length) {
            associated = new byte[length];
        }
        System.arraycopy(header, 0, associated, 0, headerBytes);
        int at = headerBytes;
        for (byte[] one : more) {
            System.arraycopy(one, 0, associated, at, one.length);
            at += one.length;
        }
        return length;
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
            cipher(Cipher.ENCRYPT_MODE, key, counter, out, headerBytes, associated)
                    .doFinal(body, from, length, out, headerBytes);
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
        return cipher(Cipher.DECRYPT_MODE, key, counter, header, from, associated)
                .doFinal(sealed, from, length, out, to);
    }
}
