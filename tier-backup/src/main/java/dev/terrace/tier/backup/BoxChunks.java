package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** Seals or opens the chunks of one box, one after the other. Belongs to one thread. */
final class BoxChunks {
    private final SecretKeySpec key;
    private final int chunkBytes;
    private final Cipher cipher;
    private long number;

    BoxChunks(BoxHeader header) throws IOException {
        this(header, 0);
    }

    /** From chunk {@code number} on. */
    BoxChunks(BoxHeader header, long number) throws IOException {
        this.number = number;
        this.key = new SecretKeySpec(header.payloadKey(), "AES");
        this.chunkBytes = header.chunkBytes();
        try {
            this.cipher = Cipher.getInstance(AesGcm.TRANSFORMATION);
        } catch (GeneralSecurityException e) {
            throw new IOException("this JDK has no AES/GCM", e);
        }
    }

    int chunkBytes() {
        return chunkBytes;
    }

    int sealedBytes() {
        return chunkBytes + AesGcm.TAG_BYTES;
    }

    /** Nonce: three zeros, the chunk's number (8), 1 when it is the last. */
    private GCMParameterSpec nonce(boolean last) {
        return new GCMParameterSpec(
                AesGcm.TAG_BYTES * 8,
                ByteBuffer.allocate(AesGcm.NONCE_BYTES)
                        .put(new byte[3])
                        .putLong(number)
                        .put((byte) (last ? 1 : 0))
                        .array());
    }

    byte[] seal(byte[] plain, int length, boolean last) throws IOException {
        try {
            cipher.init(Cipher.ENCRYPT_MODE, key, nonce(last));
            number++;
            return cipher.doFinal(plain, 0, length);
        } catch (GeneralSecurityException e) {
            throw new IOException("sealing a box failed", e);
        }
    }

    byte[] open(byte[] sealed, int length, boolean last) throws IOException {
        if (length < AesGcm.TAG_BYTES) { // The JDK throws something unchecked then.
            throw damaged();
        }
        try {
            cipher.init(Cipher.DECRYPT_MODE, key, nonce(last));
            byte[] plain = cipher.doFinal(sealed, 0, length);
            number++;
            return plain;
        } catch (GeneralSecurityException e) {
            throw damaged();
        }
    }

    private SealedBox.DamagedException damaged() {
        return new SealedBox.DamagedException(
                "chunk " + number + " of the sealed box is damaged, or the box is cut off behind it");
    }
}
