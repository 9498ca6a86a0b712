package dev.terrace.tier.backup;

import dev.terrace.tier.backup.RingKey.Purpose;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The file {@code KEYS} of former builds: read, never written. Layout in {@code docs/format.md}. It had one epoch and
 * no signing key, and counted sub-keys from 1.
 *
 * @param derivation how the master key is had
 * @param keyId names this set of keys in messages
 * @param check proves the master key
 * @param wrapped the keys it wraps
 * @param salts of the sub-keys, oldest first
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record KeyFileFormat1(
        MasterKey.Derivation derivation, long keyId, byte[] check, List<Wrapped> wrapped, List<Salt> salts)
        implements LockedKeys {
    static final byte FORMAT = 1;
    private static final int NONCE_BYTES = 12;
    private static final int WRAPPED_BYTES = Hkdf.KEY_BYTES + 16;
    private static final int MOST_KEYS = 10_000;
    private static final int MOST_SALTS = 1_000_000;

    /** A key of one purpose and epoch. */
    record Wrapped(byte purpose, int epoch, byte[] nonce, byte[] sealed) {}

    /** What became a {@link SubKey}. */
    record Salt(int id, int epoch, long createdMillis, byte[] salt) {}

    static @Nullable KeyFileFormat1 read(ByteBuffer in) {
        MasterKey.Derivation derivation = MasterKey.Derivation.read(in);
        long keyId = in.getLong();
        byte[] check = LockedKeys.take(in, CHECK_BYTES);
        int wrappedCount = in.getInt();
        if (!derivation.isSane() || wrappedCount < 0 || wrappedCount > MOST_KEYS) {
            return null;
        }
        List<Wrapped> wrapped = new ArrayList<>();
        for (int i = 0; i < wrappedCount; i++) {
            byte purpose = in.get();
            int epoch = in.getInt();
            byte[] nonce = LockedKeys.take(in, NONCE_BYTES);
            wrapped.add(new Wrapped(purpose, epoch, nonce, LockedKeys.take(in, WRAPPED_BYTES)));
        }
        int count = in.getInt();
        if (count < 0 || count > MOST_SALTS) {
            return null;
        }
        List<Salt> salts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            salts.add(new Salt(in.getInt(), in.getInt(), in.getLong(), LockedKeys.take(in, SubKey.SALT_BYTES)));
        }
        return new KeyFileFormat1(derivation, keyId, check, wrapped, salts);
    }

    @Override
    public KeySet unlock(byte[] master) throws GeneralSecurityException {
        byte[] wrapKey = Hkdf.derive(master, Hkdf.NO_SALT, "wrap");
        long created = salts.isEmpty() ? 0 : salts.get(0).createdMillis();
        List<RingKey> keys = new ArrayList<>();
        for (Wrapped one : wrapped) {
            byte[] place = ByteBuffer.allocate(14)
                    .put(FORMAT)
                    .putLong(keyId)
                    .put(one.purpose)
                    .putInt(one.epoch)
                    .array();
            byte[] secret = AesGcm.open(wrapKey, one.nonce, place, one.sealed);
            Purpose purpose = one.purpose == 1 ? Purpose.DATA : Purpose.INDEX;
            keys.add(RingKey.of(purpose, one.epoch, created, "", secret));
        }
        List<SubKey> subKeys = new ArrayList<>();
        for (Salt salt : salts) {
            for (RingKey key : keys) {
                if (key.purpose() == Purpose.DATA && key.epoch() == salt.epoch) {
                    subKeys.add(SubKey.of(salt.id, key, salt.createdMillis, 0, salt.salt));
                }
            }
        }
        return new KeySet(keys, subKeys);
    }
}
