package dev.terrace.tier.backup;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of the file {@code KEYS}: how to get the master key, the keys it wraps, and the salts of the sub-keys made
 * so far. Layout in {@code docs/format-l3.md}.
 *
 * @param derivation how the master key is had
 * @param keyId names this set of keys in messages; random
 * @param check proves the master key before anything is decrypted with it
 * @param wrapped the keys it wraps
 * @param subKeys the salts, oldest first
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record KeyFile(MasterKey.Derivation derivation, long keyId, byte[] check, List<Wrapped> wrapped, List<SubKey> subKeys) {
    private static final int MAGIC = 0x544B4559; // TKEY
    static final byte FORMAT = 1;
    static final int CHECK_BYTES = 16;
    static final int NONCE_BYTES = 12;
    static final int WRAPPED_BYTES = Hkdf.KEY_BYTES + 16;
    static final int SALT_BYTES = 32;
    private static final int MOST_SUB_KEYS = 1_000_000;

    /** What a wrapped key is for. */
    static final byte DATA_KEY = 1;

    static final byte INDEX_KEY = 2;

    /** A key of one purpose and epoch, wrapped by the master key. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Wrapped(byte purpose, int epoch, byte[] nonce, byte[] sealed) {
        /** Binds the wrapped key to its place. */
        byte[] associatedData(long keyId) {
            return ByteBuffer.allocate(14)
                    .put(FORMAT)
                    .putLong(keyId)
                    .put(purpose)
                    .putInt(epoch)
                    .array();
        }
    }

    /** The salt of one sub-key: data key of {@code epoch} and {@code salt} give it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record SubKey(int id, int epoch, long createdMillis, byte[] salt) {}

    KeyFile withSubKeys(List<SubKey> others) {
        return new KeyFile(derivation, keyId, check, wrapped, List.copyOf(others));
    }

    byte[] encode() {
        ByteBuffer out =
                ByteBuffer.allocate(64 + CHECK_BYTES + wrapped.size() * 128 + subKeys.size() * (16 + SALT_BYTES));
        out.putInt(MAGIC)
                .put(FORMAT)
                .put(derivation.kind())
                .putInt(derivation.memoryKib())
                .putInt(derivation.passes())
                .putInt(derivation.lanes())
                .put(derivation.salt())
                .putLong(keyId)
                .put(check)
                .putInt(wrapped.size());
        for (Wrapped key : wrapped) {
            out.put(key.purpose).putInt(key.epoch).put(key.nonce).put(key.sealed);
        }
        out.putInt(subKeys.size());
        for (SubKey key : subKeys) {
            out.putInt(key.id).putInt(key.epoch).putLong(key.createdMillis).put(key.salt);
        }
        CRC32C crc = new CRC32C();
        crc.update(out.array(), 0, out.position());
        out.putInt((int) crc.getValue());
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    /** True when the bytes say they are a key file of a later build. */
    static boolean isNewer(byte[] bytes) {
        return bytes.length > 5 && ByteBuffer.wrap(bytes).getInt() == MAGIC && bytes[4] > FORMAT;
    }

    /** Null when the bytes are damaged. */
    static @Nullable KeyFile decode(byte[] bytes) {
        if (bytes.length < 8) {
            return null;
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length - 4);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if ((int) crc.getValue() != in.getInt(bytes.length - 4) || in.getInt() != MAGIC || in.get() != FORMAT) {
            return null;
        }
        try {
            MasterKey.Derivation derivation =
                    new MasterKey.Derivation(in.get(), in.getInt(), in.getInt(), in.getInt(), take(in, 16));
            long keyId = in.getLong();
            byte[] check = take(in, CHECK_BYTES);
            int wrappedCount = in.getInt();
            if (!derivation.isSane() || wrappedCount < 0 || wrappedCount > 10_000) {
                return null;
            }
            List<Wrapped> wrapped = new ArrayList<>();
            for (int i = 0; i < wrappedCount; i++) {
                wrapped.add(new Wrapped(in.get(), in.getInt(), take(in, NONCE_BYTES), take(in, WRAPPED_BYTES)));
            }
            int count = in.getInt();
            if (count < 0 || count > MOST_SUB_KEYS) {
                return null;
            }
            List<SubKey> subKeys = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                subKeys.add(new SubKey(in.getInt(), in.getInt(), in.getLong(), take(in, SALT_BYTES)));
            }
            return new KeyFile(derivation, keyId, check, wrapped, subKeys);
        } catch (BufferUnderflowException e) {
            return null; // Its counts promise more than there is.
        }
    }

    private static byte[] take(ByteBuffer in, int count) {
        byte[] bytes = new byte[count];
        in.get(bytes);
        return bytes;
    }
}
