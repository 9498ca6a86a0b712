package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an open encrypted folder. Every open makes a sub-key of its own from a fresh random salt, so that nonces
 * counted from zero never repeat, not even after the folder was cloned or put back from a copy. Thread-safe.
 */
final class KeyRing {
    private static final int FIRST_EPOCH = 1;

    private final Path file;
    private final InstantSource clock;
    private final SecureRandom random;
    private final byte[] indexKey;
    private final Map<Integer, byte[]> dataKeys;
    private final int newestEpoch;
    private final Map<Integer, SecretKey> subKeys = new ConcurrentHashMap<>();
    private volatile KeyFile content;

    private KeyRing(Path file, InstantSource clock, SecureRandom random, KeyFile content, byte[] master) {
        this.file = file;
        this.clock = clock;
        this.random = random;
        this.content = content;
        byte[] wrapKey = Hkdf.derive(master, Hkdf.NO_SALT, "wrap");
        byte[] foundIndexKey = null;
        this.dataKeys = new ConcurrentHashMap<>();
        int newest = 0;
        for (KeyFile.Wrapped wrapped : content.wrapped()) {
            byte[] key = unwrap(wrapKey, wrapped);
            if (wrapped.purpose() == KeyFile.INDEX_KEY) {
                foundIndexKey = key;
            } else if (wrapped.purpose() == KeyFile.DATA_KEY) {
                dataKeys.put(wrapped.epoch(), key);
                newest = Math.max(newest, wrapped.epoch());
            }
        }
        if (foundIndexKey == null || newest == 0) {
            throw damaged(file);
        }
        this.indexKey = foundIndexKey;
        this.newestEpoch = newest;
    }

    /** Makes the keys of a new folder. */
    static void create(Path file, BackupStorageSettings settings) throws IOException {
        SecureRandom random = new SecureRandom();
        MasterKey.Derivation derivation = MasterKey.newDerivation(settings, random);
        byte[] master = MasterKey.obtain(settings, derivation, file);
        byte[] wrapKey = Hkdf.derive(master, Hkdf.NO_SALT, "wrap");
        long keyId = random.nextLong();
        List<KeyFile.Wrapped> wrapped = List.of(
                wrap(wrapKey, keyId, KeyFile.DATA_KEY, FIRST_EPOCH, random),
                wrap(wrapKey, keyId, KeyFile.INDEX_KEY, FIRST_EPOCH, random));
        Atomically.write(file, new KeyFile(derivation, keyId, check(master), wrapped, List.of()).encode());
    }

    /**
     * Opens the keys of an existing folder. Reads only.
     *
     * @throws SetupException when the key is the wrong one, or the file is damaged
     */
    static KeyRing open(Path file, BackupStorageSettings settings, InstantSource clock) throws IOException {
        if (!Files.exists(file)) {
            throw new SetupException(
                    "key file " + file + " is missing; nothing was changed",
                    "restore it from a copy; without it the folder cannot be read");
        }
        byte[] bytes = Files.readAllBytes(file);
        if (KeyFile.isNewer(bytes)) {
            throw new SetupException(
                    "key file " + file + " was written by a later version; nothing was changed",
                    "use that version, or another backup_storage.path");
        }
        KeyFile content = KeyFile.decode(bytes);
        if (content == null) {
            throw damaged(file);
        }
        byte[] master = MasterKey.obtain(settings, content.derivation(), file);
        if (!MessageDigest.isEqual(check(master), content.check())) {
            throw new SetupException(
                    "wrong key for " + file + " (key id " + HexFormat.of().toHexDigits(content.keyId())
                            + "); nothing was changed",
                    "set backup_storage." + (settings.keystore() != null ? "keystore" : "passphrase")
                            + " to the key the folder was made with, or choose another backup_storage.path");
        }
        return new KeyRing(file, clock, new SecureRandom(), content, master);
    }

    private static SetupException damaged(Path file) {
        return new SetupException(
                "key file " + file + " is damaged; nothing was changed",
                "restore it from a copy; without it the folder cannot be read");
    }

    /** A value that only this master key has, and from which nothing about it can be learned. */
    private static byte[] check(byte[] master) {
        return Arrays.copyOf(Hkdf.derive(master, Hkdf.NO_SALT, "key check"), KeyFile.CHECK_BYTES);
    }

    private static KeyFile.Wrapped wrap(byte[] wrapKey, long keyId, byte purpose, int epoch, SecureRandom random) {
        byte[] key = new byte[Hkdf.KEY_BYTES];
        byte[] nonce = new byte[KeyFile.NONCE_BYTES];
        random.nextBytes(key);
        random.nextBytes(nonce);
        KeyFile.Wrapped place = new KeyFile.Wrapped(purpose, epoch, nonce, new byte[0]);
        return new KeyFile.Wrapped(
                purpose, epoch, nonce, crypt(Cipher.ENCRYPT_MODE, wrapKey, place.associatedData(keyId), nonce, key));
    }

    private byte[] unwrap(byte[] wrapKey, KeyFile.Wrapped wrapped) {
        return crypt(
                Cipher.DECRYPT_MODE,
                wrapKey,
                wrapped.associatedData(content.keyId()),
                wrapped.nonce(),
                wrapped.sealed());
    }

    private static byte[] crypt(int mode, byte[] key, byte[] associated, byte[] nonce, byte[] input) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
            cipher.updateAAD(associated);
            return cipher.doFinal(input);
        } catch (GeneralSecurityException e) {
            throw new SetupException(
                    "a wrapped key in the key file was tampered with; nothing was changed",
                    "restore the key file from a copy",
                    e);
        }
    }

    /** Keys the hash under which entries are found. */
    byte[] indexKey() {
        return indexKey;
    }

    /**
     * Makes a sub-key that nothing was sealed with yet and stores its salt before it is used.
     *
     * @param keepMillis salts whose last use lies further back than this are forgotten; their records are gone
     */
    synchronized KeyFile.SubKey freshSubKey(long keepMillis) throws IOException {
        List<KeyFile.SubKey> known = new ArrayList<>(content.subKeys());
        long now = clock.millis();
        // A salt was in use until the next one was made.
        while (known.size() > 1 && known.get(1).createdMillis() < now - keepMillis) {
            known.remove(0);
        }
        int last = content.subKeys().stream().mapToInt(KeyFile.SubKey::id).max().orElse(0);
        byte[] salt = new byte[KeyFile.SALT_BYTES];
        random.nextBytes(salt);
        KeyFile.SubKey fresh = new KeyFile.SubKey(last + 1, newestEpoch, now, salt);
        known.add(fresh);
        KeyFile next = content.withSubKeys(known);
        Atomically.write(file, next.encode());
        content = next;
        return fresh;
    }

    /** As {@link #freshSubKey}, for use where only unchecked exceptions may pass. */
    KeyFile.SubKey nextSubKey(long keepMillis) {
        try {
            return freshSubKey(keepMillis);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** The key that a record names, or null when this folder never had it. */
    @Nullable
    SecretKey subKey(int epoch, int id) {
        SecretKey known = subKeys.get(id);
        if (known != null) {
            return known;
        }
        byte[] dataKey = dataKeys.get(epoch);
        for (KeyFile.SubKey candidate : content.subKeys()) {
            if (dataKey != null && candidate.id() == id && candidate.epoch() == epoch) {
                SecretKey derived = new SecretKeySpec(Hkdf.derive(dataKey, candidate.salt(), "records"), "AES");
                subKeys.put(id, derived);
                return derived;
            }
        }
        return null;
    }
}
