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
import java.util.HexFormat;
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

    static String name(byte kind) {
        return kind == FROM_KEYSTORE ? "a keystore" : kind == FROM_PASSPHRASE ? "a passphrase" : "a key service";
    }

    /**
     * A new master key and how it is had again.
     *
     * @param derivation what must be remembered
     * @param master 32 bytes
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Fresh(Derivation derivation, byte[] master) {}

    /** The master key that new keys are locked by, as the settings say. Takes some hundred milliseconds. */
    static Fresh create(BackupStorageSettings settings, long keyId, Path keyFile, SecureRandom random) {
        String service = settings.keyService();
        if (service != null) {
            byte[] master = new byte[Hkdf.KEY_BYTES];
            random.nextBytes(master);
            String key = keyName(settings);
            byte[] wrapped = KeyServices.wrap(service, key, master, context(keyId));
            Derivation derivation =
                    new Derivation(FROM_SERVICE, 0, 0, 0, new byte[16], new Service(service, key, wrapped));
            return new Fresh(derivation, master);
        }
        Derivation derivation = settings.keystore() != null
                ? new Derivation(FROM_KEYSTORE, 0, 0, 0, new byte[16], null)
                : newPassphrase(random);
        return new Fresh(derivation, obtain(settings, derivation, keyId, keyFile));
    }

    private static String keyName(BackupStorageSettings settings) {
        String name = settings.keyName();
        if (name == null) {
            throw new SetupException(
                    "backup_storage.key_service needs the name of a key; nothing was changed",
                    "set backup_storage.key_name");
        }
        return name;
    }

    private static byte[] context(long keyId) {
        return ("terrace l3 ring " + HexFormat.of().toHexDigits(keyId)).getBytes(StandardCharsets.US_ASCII);
    }

    /** How a key is derived from a new passphrase. */
    static Derivation newPassphrase(SecureRandom random) {
        byte[] salt = new byte[16];
        random.nextBytes(salt);
        return new Derivation(FROM_PASSPHRASE, MEMORY_KIB, PASSES, LANES, salt, null);
    }

    /** Gets the key. Takes some hundred milliseconds. */
    static byte[] obtain(BackupStorageSettings settings, Derivation derivation, long keyId, Path keyFile) {
        byte kind = settings.keyService() != null
                ? FROM_SERVICE
                : settings.keystore() != null ? FROM_KEYSTORE : FROM_PASSPHRASE;
        Path keystore = settings.keystore();
        Secret passphrase = settings.passphrase();
        if (passphrase == null && kind != FROM_SERVICE) {
            throw new SetupException(
                    "backup_storage.encryption needs a key and there is none; nothing was changed",
                    "set backup_storage.passphrase, or keystore and passphrase, or key_service and key_name");
        }
        if (kind != derivation.kind) {
            throw new SetupException(
                    "the keys of " + keyFile + " are locked by " + name(derivation.kind) + ", the settings name "
                            + (kind == FROM_PASSPHRASE ? "a passphrase only" : name(kind)) + "; nothing was changed",
                    "use the key the folder was made with, or another backup_storage.path");
        }
        Service service = derivation.service;
        if (service != null) {
            // The settings say which key is meant, so that an edited file cannot choose one.
            return KeyServices.unwrap(
                    String.valueOf(settings.keyService()), keyName(settings), service.wrapped, context(keyId));
        }
        if (passphrase == null) {
            throw new IllegalStateException("a key of kind " + kind + " needs a passphrase");
        }
        if (keystore != null) {
            return BackupKeystore.load(keystore, settings.keystoreAlias(), passphrase);
        }
        return fromPassphrase(passphrase, derivation);
    }

    /** What Argon2id makes of a passphrase. Takes some hundred milliseconds, and as much memory as the derivation says. */
    static byte[] fromPassphrase(Secret passphrase, Derivation derivation) {
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
