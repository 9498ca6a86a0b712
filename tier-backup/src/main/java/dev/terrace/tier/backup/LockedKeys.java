package dev.terrace.tier.backup;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** A key file that was read and whose master key is yet to come. */
interface LockedKeys {
    int MAGIC = 0x544B4559; // TKEY
    int CHECK_BYTES = 16;
    int CRC_BYTES = 4;

    /** How the master key is had. */
    MasterKey.Derivation derivation();

    /** Names this ring in messages. */
    long keyId();

    /** Proves the master key before anything is decrypted with it. */
    byte[] check();

    /**
     * Opens it.
     *
     * @throws GeneralSecurityException when something in it was changed by someone who knows how to count checksums
     */
    KeySet unlock(byte[] master) throws GeneralSecurityException;

    /** True when the bytes say they are a key file of a later build. */
    static boolean isNewer(byte[] bytes) {
        return bytes.length > 5 && ByteBuffer.wrap(bytes).getInt() == MAGIC && bytes[4] > KeyFile.FORMAT;
    }

    /** Null when the bytes are damaged. */
    static @Nullable LockedKeys decode(byte[] bytes) {
        if (bytes.length < 8) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (crc(bytes, bytes.length - CRC_BYTES) != in.getInt(bytes.length - CRC_BYTES) || in.getInt() != MAGIC) {
            return null;
        }
        byte format = in.get();
        in.limit(bytes.length - CRC_BYTES);
        try {
            return switch (format) {
                case KeyFileFormat1.FORMAT -> KeyFileFormat1.read(in);
                case KeyFile.FORMAT -> KeyFile.read(in);
                default -> null;
            };
        } catch (BufferUnderflowException e) {
            return null; // Its counts promise more than there is.
        }
    }

    /** A value that only this master key has, and from which nothing about it can be learned. */
    static byte[] check(byte[] master) {
        return Arrays.copyOf(Hkdf.derive(master, Hkdf.NO_SALT, "key check"), CHECK_BYTES);
    }

    /** The checksum of the first bytes. */
    static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /** The next bytes; checked before they are allocated. */
    static byte[] take(ByteBuffer in, int count) {
        if (count < 0 || count > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[count];
        in.get(bytes);
        return bytes;
    }
}
