package dev.terrace.tier.backup;

import dev.terrace.tier.backup.RingKey.Purpose;
import dev.terrace.tier.backup.RingKey.State;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of the file {@code KEYS}: how to get the master key, and, sealed by it as one piece, a {@link KeySet}. So
 * neither a key nor what is said about one can be changed, left out or put back alone. Layout in {@code docs/format.md}.
 *
 * @param derivation how the master key is had
 * @param keyId names this ring in messages; random
 * @param check proves the master key before anything is decrypted with it
 * @param associated everything before the nonce, as it stands in the file
 * @param nonce of the seal
 * @param sealed the keys
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record KeyFile(
        MasterKey.Derivation derivation, long keyId, byte[] check, byte[] associated, byte[] nonce, byte[] sealed)
        implements LockedKeys {
    static final byte FORMAT = 2;
    private static final int MOST_SUB_KEYS = 1_000_000;

    /** The bytes of a file that holds {@code keys}. */
    static byte[] encode(MasterKey.Fresh lock, long keyId, KeySet keys, SecureRandom random) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeInt(MAGIC);
            out.write(FORMAT);
            lock.derivation().write(out);
            out.writeLong(keyId);
            out.write(LockedKeys.check(lock.master()));
            MasterKey.Service.write(lock.derivation().service(), out);
            byte[] nonce = new byte[AesGcm.NONCE_BYTES];
            random.nextBytes(nonce);
            byte[] sealed = AesGcm.seal(sealingKey(lock.master()), nonce, bytes.toByteArray(), plain(keys));
            out.write(nonce);
            out.writeInt(sealed.length);
            out.write(sealed);
            out.writeInt(LockedKeys.crc(bytes.toByteArray(), bytes.size()));
            return bytes.toByteArray();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sealing the keys failed", e);
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail so", e);
        }
    }

    static @Nullable KeyFile read(ByteBuffer in) {
        MasterKey.Derivation plain = MasterKey.Derivation.read(in);
        long keyId = in.getLong();
        byte[] check = LockedKeys.take(in, CHECK_BYTES);
        MasterKey.Derivation derivation = plain.with(MasterKey.Service.read(in));
        byte[] associated = LockedKeys.take(in.duplicate().position(0), in.position());
        byte[] nonce = LockedKeys.take(in, AesGcm.NONCE_BYTES);
        byte[] sealed = LockedKeys.take(in, in.getInt());
        return derivation.isSane() && !in.hasRemaining()
                ? new KeyFile(derivation, keyId, check, associated, nonce, sealed)
                : null;
    }

    private static byte[] sealingKey(byte[] master) {
        return Hkdf.derive(master, Hkdf.NO_SALT, "ring");
    }

    @Override
    public KeySet unlock(byte[] master) throws GeneralSecurityException {
        ByteBuffer in = ByteBuffer.wrap(AesGcm.open(sealingKey(master), nonce, associated, sealed));
        List<RingKey> keys = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            keys.add(readKey(in));
        }
        return new KeySet(keys, readSubKeys(in));
    }

    private static byte[] plain(KeySet keys) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(keys.keys().size());
        for (RingKey key : keys.keys()) {
            out.write(key.purpose().code);
            out.writeLong(key.id());
            out.writeInt(key.epoch());
            out.writeLong(key.createdMillis());
            out.write(key.state().code);
            out.writeLong(key.sinceMillis());
            byte[] by = key.by().getBytes(StandardCharsets.UTF_8);
            out.write(by.length);
            out.write(by);
            if (!key.is(State.DESTROYED)) {
                out.write(key.required());
            }
        }
        writeSubKeys(keys.subKeys(), out);
        return bytes.toByteArray();
    }

    private static RingKey readKey(ByteBuffer in) throws GeneralSecurityException {
        Purpose purpose = Purpose.of(in.get());
        long id = in.getLong();
        int epoch = in.getInt();
        long created = in.getLong();
        State state = State.of(in.get());
        long since = in.getLong();
        String by = new String(LockedKeys.take(in, in.get() & 0xFF), StandardCharsets.UTF_8);
        byte[] secret = state == State.DESTROYED ? null : LockedKeys.take(in, Hkdf.KEY_BYTES);
        return new RingKey(purpose, id, epoch, created, state, since, by, secret);
    }

    /** Writes sub-keys as they stand in the file; they hold nothing secret. */
    static void writeSubKeys(List<SubKey> subKeys, DataOutputStream out) throws IOException {
        out.writeInt(subKeys.size());
        for (SubKey key : subKeys) {
            out.writeLong(key.id());
            out.writeLong(key.keyId());
            out.writeLong(key.createdMillis());
            out.writeLong(key.endedMillis());
            out.write(key.salt());
            out.write(key.commitment());
        }
    }

    /** Reads what {@link #writeSubKeys} wrote; throws a {@link BufferUnderflowException} when it is cut short. */
    static List<SubKey> readSubKeys(ByteBuffer in) {
        int count = in.getInt();
        if (count < 0 || count > MOST_SUB_KEYS) {
            throw new BufferUnderflowException();
        }
        List<SubKey> subKeys = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            subKeys.add(new SubKey(
                    in.getLong(),
                    in.getLong(),
                    in.getLong(),
                    in.getLong(),
                    LockedKeys.take(in, SubKey.SALT_BYTES),
                    LockedKeys.take(in, SubKey.COMMITMENT_BYTES)));
        }
        return subKeys;
    }
}
