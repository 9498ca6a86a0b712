package dev.terrace.tier.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serial;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.List;

/**
 * A stream that only the holder of an offline private key can read: hybrid X25519 and ML-KEM-768 wrap a key for each recipient, and
 * AES-256-GCM seals the content in chunks by the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, "Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015): the nonce counts the chunks and marks the last, so chunks cannot be
 * changed, reordered, left out, or the end cut off. Memory: three chunks, whatever the length.
 *
 * <p>It says nothing about who sealed: anybody can, to a public key. Manifests are signed for that.
 *
 * <p>The JDK's AES-GCM is slow in the first two seconds of a process and fast then.
 */
public final class SealedBox {
    /** Chunks of 64 KiB. */
    static final int CHUNK_POWER = 16;

    private SealedBox() {}

    /** What cannot be opened as it is. */
    public static class DamagedException extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        DamagedException(String message) {
            super(message);
        }
    }

    /** A box that was sealed to others. */
    public static final class NotForUsException extends DamagedException {
        @Serial
        private static final long serialVersionUID = 1L;

        NotForUsException(String message) {
            super(message);
        }
    }

    /**
     * Seals what is written to the result into {@code out}. The box is complete only when the result was closed, which closes {@code out} too;
     * one that was not closed does not open. The result belongs to one thread.
     *
     * @param recipients 1 to 32; each can open it alone
     * @throws IllegalArgumentException when there are fewer or more
     */
    public static OutputStream seal(OutputStream out, List<Recipient> recipients) throws IOException {
        return seal(out, recipients, CHUNK_POWER, new SecureRandom());
    }

    static OutputStream seal(OutputStream out, List<Recipient> recipients, int chunkPower, SecureRandom random)
            throws IOException {
        if (recipients.isEmpty() || recipients.size() > BoxHeader.MOST_RECIPIENTS) {
            throw new IllegalArgumentException("a box is sealed to 1 to " + BoxHeader.MOST_RECIPIENTS
                    + " recipients, not to " + recipients.size());
        }
        try {
            BoxHeader header = BoxHeader.create(recipients, chunkPower, random);
            out.write(header.bytes());
            return new BoxOutput(out, new BoxChunks(header));
        } catch (GeneralSecurityException e) {
            throw new IOException("sealing a box failed", e);
        }
    }

    /**
     * Opens a box. What the result gives was sealed so, byte for byte, but only its end says that nothing is missing: until
     * {@code read} has returned -1, the rest may still turn out to be damaged. The result belongs to one thread; closing it closes
     * {@code in}.
     *
     * @throws NotForUsException when it was sealed to others
     * @throws DamagedException when it was changed or cut, here or while it is read
     */
    public static InputStream open(InputStream in, RecipientKey own) throws IOException {
        return new BoxInput(in, new BoxChunks(BoxHeader.read(in, own)));
    }
}
