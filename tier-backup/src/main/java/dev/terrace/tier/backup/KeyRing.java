package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.KeyReport;
import dev.terrace.tier.backup.RingKey.Purpose;
import dev.terrace.tier.backup.RingKey.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of an open encrypted folder. Every open makes sub-keys of its own from fresh random salts, so that nonces
 * counted from zero never repeat, not even after the folder was cloned or put back from a copy. Thread-safe; who has the
 * folder's lock has the file to itself.
 */
final class KeyRing {
    private static final Logger LOG = LoggerFactory.getLogger(KeyRing.class);

    /** Stands for who made keys that a program made by itself. */
    static final String ITSELF = "terrace";

    /** Sub-keys that were derived, by the names that records have for them. */
    private static final class Derived {
        final Map<Long, SecretKey> byId = new ConcurrentHashMap<>();
        final Map<Integer, List<SecretKey>> byShortId = new ConcurrentHashMap<>();
        final Map<Integer, List<SealingSubKey>> byReference = new ConcurrentHashMap<>();
    }

    private final Path file;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();
    private final long keyId;
    /** Of {@link #keys}: replaced after them and read before them, so that what is derived from older ones is never kept. */
    private volatile Derived derived = new Derived();

    private volatile KeySet keys;
    private volatile long activeDataKey;
    private MasterKey.Fresh lock;
    private boolean writing;

    private KeyRing(Path file, InstantSource clock, LockedKeys locked, byte[] master, KeySet keys) {
        this.file = file;
        this.clock = clock;
        this.keyId = locked.keyId();
        this.lock = new MasterKey.Fresh(locked.derivation(), master);
        this.keys = keys;
        this.activeDataKey = keys.requireActive(Purpose.DATA).id();
    }

    /** Makes the keys of a new folder. */
    static void create(Path file, BackupStorageSettings settings, InstantSource clock) throws IOException {
        SecureRandom random = new SecureRandom();
        long keyId = random.nextLong();
        MasterKey.Fresh lock = MasterKey.create(settings, keyId, file, random);
        KeySet keys = KeySet.create(clock.millis(), ITSELF, random);
        Atomically.write(file, KeyFile.encode(lock, keyId, keys, random));
    }

    /**
     * Opens the keys of an existing folder. Reads only; a file of a former build is rewritten when something must be
     * written into it.
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
        refuseNewer(bytes, file);
        Scrubbed.finish(file);
        return open(bytes, file, settings, clock);
    }

    private static void refuseNewer(byte[] bytes, Path file) {
        if (LockedKeys.isNewer(bytes)) {
            throw new SetupException(
                    "key file " + file + " was written by a later version; nothing was changed",
                    "use that version, or another backup_storage.path");
        }
    }

    /**
     * As the other, of keys that were read already. To be read from only, where they do not come from a folder.
     *
     * @param file what they are called in messages, and where they are written to
     */
    static KeyRing open(byte[] bytes, Path file, BackupStorageSettings settings, InstantSource clock) {
        refuseNewer(bytes, file);
        LockedKeys locked = LockedKeys.decode(bytes);
        if (locked == null) {
            throw damaged(file);
        }
        byte[] master = master(locked, settings, file);
        return new KeyRing(file, clock, locked, master, unlock(locked, master, file));
    }

    private static byte[] master(LockedKeys locked, BackupStorageSettings settings, Path file) {
        byte[] master = MasterKey.obtain(settings, locked.derivation(), locked.keyId(), file);
        if (!MessageDigest.isEqual(LockedKeys.check(master), locked.check())) {
            throw new SetupException(
                    "wrong key for " + file + " (key id " + HexFormat.of().toHexDigits(locked.keyId())
                            + "); nothing was changed",
                    "set backup_storage." + (settings.keystore() != null ? "keystore" : "passphrase")
                            + " to the key the folder was made with, or choose another backup_storage.path");
        }
        return master;
    }

    private static KeySet unlock(LockedKeys locked, byte[] master, Path file) {
        try {
            KeySet keys = locked.unlock(master);
            if (keys.active(Purpose.DATA) == null || keys.active(Purpose.INDEX) == null) {
                throw damaged(file);
            }
            return keys;
        } catch (GeneralSecurityException e) {
            throw new SetupException(
                    "key file " + file + " was tampered with; nothing was changed", "restore it from a copy", e);
        }
    }

    private static SetupException damaged(Path file) {
        return new SetupException(
                "key file " + file + " is damaged; nothing was changed",
                "restore it from a copy; without it the folder cannot be read");
    }

    /** Keys the hash under which entries are found. */
    byte[] indexKey() {
        return keys.requireActive(Purpose.INDEX).required();
    }

    /** What the ring holds at this moment. */
    KeySet keys() {
        return keys;
    }

    /** Names this ring in messages. */
    long keyId() {
        return keyId;
    }

    /** The data key that new sub-keys are made from; changes when it is rotated. */
    long activeDataKey() {
        return activeDataKey;
    }

    /**
     * Makes a sub-key that nothing was sealed with yet and stores its salt before it is used.
     *
     * @param keepMillis salts whose last use lies further back than this are forgotten; their records are gone
     */
    SubKey freshSubKey(long keepMillis) throws IOException {
        return freshSubKey(null, keepMillis);
    }

    private synchronized SubKey freshSubKey(@Nullable SubKey previous, long keepMillis) throws IOException {
        long now = clock.millis();
        KeySet next = keys.completed(now, ITSELF, random);
        if (!writing) {
            // Whoever sealed with one of these had the folder's lock, which is ours now.
            next = next.ended(null, now);
        } else if (previous != null) {
            next = next.ended(previous, now);
        }
        next = next.forgetting(now - keepMillis);
        SubKey fresh = next.freshSubKey(now, random);
        replace(next.with(fresh));
        writing = true;
        return fresh;
    }

    private void replace(KeySet next) throws IOException {
        Atomically.write(file, KeyFile.encode(lock, keyId, next, random));
        use(next);
    }

    private void use(KeySet next) {
        keys = next;
        activeDataKey = next.requireActive(Purpose.DATA).id();
        derived = new Derived(); // Some may be of a key that is gone, and others lack what was added.
    }

    /** As {@link #freshSubKey}, for use where only unchecked exceptions may pass. */
    SubKey nextSubKey(long keepMillis) {
        try {
            return freshSubKey(null, keepMillis);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** As {@link #nextSubKey}, in place of {@code previous}, with which nothing is sealed any more. */
    SubKey succeed(SubKey previous, long keepMillis) {
        try {
            return freshSubKey(previous, keepMillis);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** A new data key, used by what is sealed from now on. Nothing is rewritten. */
    synchronized RingKey rotate(Purpose purpose, String by) throws IOException {
        replace(keys.completed(clock.millis(), ITSELF, random).rotated(purpose, clock.millis(), by, random));
        return keys.requireActive(purpose);
    }

    /**
     * Destroys a retired data key: what it sealed cannot be read again, not even by who has it all. The file's former content is
     * overwritten; other copies of it are not ours.
     *
     * @throws SetupException when there is none, it is active, or it was destroyed before; nothing was changed then
     */
    synchronized RingKey destroy(int epoch, String by) throws IOException {
        RingKey key = requireRetired(epoch);
        KeySet next = keys.completed(clock.millis(), ITSELF, random).destroyed(epoch, clock.millis(), by);
        Scrubbed.replace(file, KeyFile.encode(lock, keyId, next, random));
        use(next);
        LOG.warn(
                "backup key epoch was destroyed, what it sealed cannot be read again file={} epoch={} by={}",
                file,
                epoch,
                by);
        return key;
    }

    /**
     * The data key that may be destroyed.
     *
     * @throws SetupException when there is no such key, or it may not
     */
    RingKey requireRetired(int epoch) {
        RingKey key = keys.dataEpoch(epoch);
        if (key == null) {
            throw new SetupException(
                    "there is no key epoch " + epoch + " in " + file, "'terrace keys list' shows them");
        }
        if (key.is(State.ACTIVE)) {
            throw new SetupException(
                    "key epoch " + epoch + " is in use; nothing was changed",
                    "rotate first ('terrace keys rotate'); what is written then has another key");
        }
        if (key.is(State.DESTROYED)) {
            throw new SetupException(
                    whenDestroyed(key) + "; nothing was changed", "nothing is left that could be destroyed");
        }
        return key;
    }

    /** In one sentence, for people. */
    static String whenDestroyed(RingKey key) {
        return "key epoch " + key.epoch() + " was destroyed on " + Instant.ofEpochMilli(key.sinceMillis())
                + (key.by().isEmpty() ? "" : " by " + key.by());
    }

    /** Locks the file by the key that {@code settings} name from now on. Nothing else is rewritten. */
    synchronized void rewrap(BackupStorageSettings settings) throws IOException {
        MasterKey.Fresh next = MasterKey.create(settings, keyId, file, random);
        Scrubbed.replace(file, KeyFile.encode(next, keyId, keys.completed(clock.millis(), ITSELF, random), random));
        lock = next;
    }

    /**
     * Joins all keys of another ring, whose records come here; what is active here stays so. Its sub-keys end now, whenever they did:
     * they are needed as long as the records live here.
     */
    synchronized void join(KeyRing other) throws IOException {
        long now = clock.millis();
        replace(other.keys
                .withoutSubKeys()
                .adopting(keys.completed(now, ITSELF, random), false, now, ITSELF)
                .joining(other.keys.endedAnew(now).subKeys()));
    }

    /** Keeps all sub-keys as long as if they had ended now: their records were restored. */
    synchronized void keepAnew() throws IOException {
        replace(keys.endedAnew(clock.millis()));
    }

    /** Joins sub-keys that came with files of another folder. */
    synchronized void join(List<SubKey> others) throws IOException {
        replace(keys.completed(clock.millis(), ITSELF, random).joining(others));
    }

    /** What may be told about the keys. */
    KeyReport report() {
        KeySet all = keys;
        return new KeyReport(
                HexFormat.of().toHexDigits(keyId),
                lockedBy(),
                all.keys().stream().map(key -> KeyFacts.of(key, all)).toList());
    }

    private synchronized String lockedBy() {
        MasterKey.Service service = lock.derivation().service();
        return service == null
                ? MasterKey.name(lock.derivation().kind()).substring(2)
                : "key service " + service.name() + ", key " + service.key();
    }

    /** The number people call the data key of a sub-key by; 0 when there is none. */
    int epochOf(SubKey subKey) {
        RingKey key = keys.key(subKey.keyId());
        return key == null ? 0 : key.epoch();
    }

    /** The key of one of this ring's own sub-keys, whose data key is there. */
    SecretKey secretOf(SubKey subKey) {
        SecretKey secret = derive(subKey);
        if (secret == null) {
            throw new IllegalStateException("the data key of the sub-key in use is not in the ring");
        }
        return secret;
    }

    private @Nullable SecretKey derive(SubKey subKey) {
        RingKey key = keys.key(subKey.keyId());
        byte[] secret = key == null ? null : key.secret();
        if (secret == null) {
            return null;
        }
        SecretKey derived = subKey.derive(secret);
        if (derived == null) {
            LOG.error(
                    "backup sub-key does not match its commitment, its records cannot be read file={} sub_key={}",
                    file,
                    HexFormat.of().toHexDigits(subKey.id()));
        }
        return derived;
    }

    /** The sub-key that a record names; null when this ring never had it or its data key was destroyed. */
    @Nullable
    SecretKey subKey(long id) {
        Map<Long, SecretKey> cached = derived.byId;
        SecretKey known = cached.get(id);
        if (known != null) {
            return known;
        }
        for (SubKey candidate : keys.subKeys()) {
            if (candidate.id() == id) {
                SecretKey secret = derive(candidate);
                if (secret != null) {
                    cached.put(id, secret);
                    return secret;
                }
            }
        }
        return null;
    }

    /** Why there is no key for a record that names one of these sub-keys: the data key that was destroyed; null when that is not the reason. */
    @Nullable
    RingKey destroyed(Predicate<SubKey> named) {
        KeySet all = keys;
        for (SubKey candidate : all.subKeys()) {
            RingKey key = named.test(candidate) ? all.key(candidate.keyId()) : null;
            if (key != null && key.is(State.DESTROYED)) {
                return key;
            }
        }
        return null;
    }

    /**
     * The sub-keys that a record of format 1 may mean; its tag tells. More than one only where folders were brought together, each of
     * which counted from 1.
     */
    List<SecretKey> subKeysOfFormat1(int id) {
        Map<Integer, List<SecretKey>> cached = derived.byShortId;
        List<SecretKey> known = cached.get(id);
        if (known != null) {
            return known;
        }
        List<SecretKey> found = new ArrayList<>();
        for (SubKey candidate : keys.subKeys()) {
            SecretKey secret = candidate.shortId() == id ? derive(candidate) : null;
            if (secret != null) {
                found.add(secret);
            }
        }
        if (!found.isEmpty()) {
            cached.put(id, found);
        }
        return found;
    }

    /** The sub-keys that a record of format 2 may mean; its tag tells. More than one only by chance. */
    List<SealingSubKey> subKeysByReference(int reference) {
        Map<Integer, List<SealingSubKey>> cached = derived.byReference;
        List<SealingSubKey> known = cached.get(reference);
        if (known != null) {
            return known;
        }
        List<SealingSubKey> found = new ArrayList<>();
        for (SubKey candidate : keys.subKeys()) {
            SecretKey secret = SealingSubKey.referenceOf(candidate) == reference ? derive(candidate) : null;
            if (secret != null) {
                found.add(new SealingSubKey(candidate, secret));
            }
        }
        if (!found.isEmpty()) {
            cached.put(reference, found);
        }
        return found;
    }

    /** The key of one dictionary; null when its data key is not there or was destroyed. */
    @Nullable
    SecretKey dictionaryKey(long dataKeyId, byte[] dictionaryId) {
        RingKey key = keys.key(dataKeyId);
        byte[] secret = key == null ? null : key.secret();
        return secret == null ? null : new SecretKeySpec(Hkdf.derive(secret, dictionaryId, "dictionary"), "AES");
    }
}
