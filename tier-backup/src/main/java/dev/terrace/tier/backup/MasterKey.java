package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.Secret;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;
import org.jspecify.annotations.Nullable;

/** Where the master key comes from, and what must be remembered beside the wrapped keys to get it again. */
final class MasterKey {
    /** Key derivation ids as they stand in the key file. */
    static final byte FROM_KEYSTORE = 0;

    static final byte FROM_PASSPHRASE = 1;
    static final byte FROM_SERVICE = 2;

    private static final int MEMORY_KIB = 64 << 10;
    private static final int PASSES = 3;
    private static final int LANES = 1;

    /** Bounds on what a key file may ask for, so that an edited one cannot exhaust the process. */
    private static final int MOST_MEMORY_KIB = 1 << 20;

    private static final int MOST_PASSES = 100;

    /**
     * How the key is derived.
     *
     * @param kind one of the ids above
     * @param memoryKib Argon2id's memory; 0 for other kinds, like the rest
     * @param passes Argon2id's iterations
     * @param lanes Argon2id's parallelism
     * @param salt 16 bytes
     * @param service who unwraps it; null unless that is its kind
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Derivation(
            byte kind,
            int memoryKib,
            int passes,
            int lanes,
            byte[] salt,
            @Nullable Service service) {
        boolean isSane() {
            return (service != null) == (kind == FROM_SERVICE)
                    && (kind == FROM_KEYSTORE
                            || kind == FROM_SERVICE
                            || kind == FROM_PASSPHRASE
                                    && memoryKib >= 8 * lanes
                                    && memoryKib <= MOST_MEMORY_KIB
                                    && passes >= 1
                                    && passes <= MOST_PASSES
                                    && lanes >= 1
                                    && lanes <= 64);
        }

        Derivation with(@Nullable Service other) {
            return new Derivation(kind, memoryKib, passes, lanes, salt, other);
        }

        void write(DataOutputStream out) throws IOException {
            out.write(kind);
            out.writeInt(memoryKib);
            out.writeInt(passes);
            out.writeInt(lanes);
            out.write(salt);
        }

        static Derivation read(ByteBuffer in) {
            return new Derivation(in.get(), in.getInt(), in.getInt(), in.getInt(), LockedKeys.take(in, 16), null);
        }
    }

    /**
     * A key service that has wrapped the master key.
     *
     * @param name the service's name
     * @param key which of its keys
     * @param wrapped what it made of the master key
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Service(String name, String key, byte[] wrapped) {
        private static final byte[] NOTHING = {};

        static void write(@Nullable Service service, DataOutputStream out) throws IOException {
            write(service == null ? NOTHING : service.name.getBytes(StandardCharsets.UTF_8), out);
            write(service == null ? NOTHING : service.key.getBytes(StandardCharsets.UTF_8), out);
            write(service == null ? NOTHING : service.wrapped, out);
        }

        private static void write(byte[] bytes, DataOutputStream out) throws IOException {
            out.writeShort(bytes.length);
            out.write(bytes);
        }

        static @Nullable Service read(ByteBuffer in) {
            String name = text(in);
            String key = text(in);
            byte[] wrapped = LockedKeys.take(in, in.getShort() & 0xFFFF);
            return name.isEmpty() ? null : new Service(name, key, wrapped);
        }

        private static String text(ByteBuffer in) {
            return new String(LockedKeys.take(in, in.getShort() & 0xFFFF), StandardCharsets.UTF_8);
        }
    }

    private MasterKey() {}

    /** How a new folder with these settings derives it. */
    static Derivation newDerivation(BackupStorageSettings settings, SecureRandom random) {
        byte[] salt = new byte[16];
        if (settings.keystore() != null) {
            return new Derivation(FROM_KEYSTORE, 0, 0, 0, salt, null);
        }
        random.nextBytes(salt);
        return new Derivation(FROM_PASSPHRASE, MEMORY_KIB, PASSES, LANES, salt, null);
    }

    /** Gets the key. Takes some hundred milliseconds. */
    static byte[] obtain(BackupStorageSettings settings, Derivation derivation, Path keyFile) {
        Path keystore = settings.keystore();
        Secret passphrase = settings.passphrase();
        if (passphrase == null) {
            throw new SetupException(
                    "backup_storage.encryption needs a key and there is none; nothing was changed",
                    "set backup_storage.passphrase, or keystore and passphrase");
        }
        if ((keystore != null) != (derivation.kind == FROM_KEYSTORE)) {
            throw new SetupException(
                    "the keys of " + keyFile + " are locked by "
                            + (derivation.kind == FROM_KEYSTORE ? "a keystore" : "a passphrase")
                            + ", the settings name "
                            + (keystore != null ? "a keystore" : "a passphrase only") + "; nothing was changed",
                    "use the key the folder was made with, or another backup_storage.path");
        }
        if (keystore != null) {
            return BackupKeystore.load(keystore, settings.keystoreAlias(), passphrase);
        }
        Argon2BytesGenerator argon = new Argon2BytesGenerator();
        argon.init(new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                .withMemoryAsKB(derivation.memoryKib)
                .withIterations(derivation.passes)
                .withParallelism(derivation.lanes)
                .withSalt(derivation.salt)
                .build());
        byte[] utf8 = passphrase.reveal().getBytes(StandardCharsets.UTF_8);
        byte[] key = new byte[Hkdf.KEY_BYTES];
        argon.generateBytes(utf8, key);
        Arrays.fill(utf8, (byte) 0);
        return key;
    }
}
