package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.testkit.ManualClock;
import dev.terrace.tier.backup.RingKey.Purpose;
import dev.terrace.tier.backup.RingKey.State;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyRingTest {
    private static final long KEEP = Duration.ofDays(2).toMillis();

    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_000_000_000_000L);
    private Path file;

    /** A key service, because a passphrase is made slow to guess. */
    private BackupStorageSettings settings;

    @BeforeEach
    void create() throws IOException {
        file = temp.resolve("KEYS");
        Path key = Files.writeString(temp.resolve("kek"), "ab".repeat(32));
        settings = Backups.withPassphrase(temp).withKey(null, "terrace", null, "file", key.toString());
        KeyRing.create(file, settings, clock);
    }

    private KeyRing open() throws IOException {
        return KeyRing.open(file, settings, clock);
    }

    /** For the kept samples. */
    private void lockedByPassphrase() {
        settings = Backups.withPassphrase(temp);
    }

    @Test
    void aNewRingHasOneActiveKeyOfEveryPurposeAndKeepsThem() throws IOException {
        KeyRing ring = open();
        assertThat(ring.keys().keys()).hasSize(Purpose.values().length).allMatch(key -> key.is(State.ACTIVE));
        SubKey fresh = ring.freshSubKey(KEEP);
        KeyRing again = open();
        assertThat(again.indexKey()).isEqualTo(ring.indexKey());
        assertThat(again.activeDataKey()).isEqualTo(ring.activeDataKey());
        assertThat(again.subKey(fresh.id())).isEqualTo(ring.secretOf(fresh));
        assertThat(again.subKey(fresh.id() + 1)).isNull();
    }

    @Test
    void idsOfSubKeysAreRandomAndNeverThoseOfFormat1() throws IOException {
        Set<Long> ids = new HashSet<>();
        KeyRing ring = open();
        for (int i = 0; i < 50; i++) {
            long id = ring.freshSubKey(KEEP).id();
            assertThat(id < 0 || id >= SubKey.FIRST_ID).isTrue();
            assertThat(ids.add(id)).isTrue();
        }
    }

    @Test
    void saltsWhoseRecordsAreGoneAreForgotten() throws IOException {
        for (int day = 0; day < 10; day++) {
            clock.advance(Duration.ofDays(1));
            open().nextSubKey(KEEP);
        }
        assertThat(open().keys().subKeys()).hasSizeBetween(3, 4);
    }

    @Test
    void whatALongLivedProcessSealedAtItsEndIsReadByTheNext() throws IOException {
        KeyRing ring = open();
        List<SubKey> inUse = List.of(ring.freshSubKey(KEEP), ring.freshSubKey(KEEP));
        clock.advance(Duration.ofDays(300));
        KeyRing next = open();
        next.freshSubKey(KEEP);
        next.freshSubKey(KEEP);
        for (SubKey key : inUse) {
            assertThat(next.subKey(key.id())).isNotNull();
        }
        clock.advance(Duration.ofDays(3));
        KeyRing later = open();
        later.freshSubKey(KEEP);
        for (SubKey key : inUse) {
            assertThat(later.subKey(key.id())).isNull();
        }
    }

    @Test
    @Tag("F56")
    void rotationGivesNewSubKeysANewDataKeyAndKeepsTheOldReadable() throws IOException {
        KeyRing ring = open();
        SealingKey sealing = new SealingKey(ring, KEEP);
        sealing.next(10);
        SubKey before = sealing.subKey();
        RingKey rotated = ring.rotate(Purpose.DATA, "me");
        assertThat(rotated.epoch()).isEqualTo(2);
        sealing.next(10);
        assertThat(sealing.counter()).isZero();
        assertThat(sealing.subKey().keyId()).isEqualTo(rotated.id());
        assertThat(ring.epochOf(sealing.subKey())).isEqualTo(2);
        KeyRing again = open();
        assertThat(again.subKey(before.id())).isNotNull();
        assertThat(again.subKey(sealing.subKey().id())).isEqualTo(sealing.secret());
        assertThat(again.keys().dataEpoch(1).state()).isEqualTo(State.RETIRED);
    }

    @Test
    void aSealingKeyIsReplacedBeforeItsCapsAreReached() throws IOException {
        SealingKey byCount = new SealingKey(open(), KEEP, 3, Long.MAX_VALUE);
        Set<String> nonces = new HashSet<>();
        Set<Long> subKeys = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            byCount.next(1);
            assertThat(byCount.counter()).isLessThan(3);
            assertThat(nonces.add(byCount.subKey().id() + "/" + byCount.counter()))
                    .isTrue();
            subKeys.add(byCount.subKey().id());
        }
        assertThat(subKeys).hasSize(4);
        SealingKey byBytes = new SealingKey(open(), KEEP, Long.MAX_VALUE, 100);
        byBytes.next(60);
        long first = byBytes.subKey().id();
        byBytes.next(40);
        assertThat(byBytes.subKey().id()).isEqualTo(first);
        byBytes.next(1);
        assertThat(byBytes.subKey().id()).isNotEqualTo(first);
        assertThat(SealingKey.MOST_RECORDS).isLessThanOrEqualTo(1L << 32);
    }

    @Test
    void aSubKeyThatDoesNotMatchItsCommitmentIsNotUsed() throws IOException {
        KeyRing ring = open();
        SubKey fresh = ring.freshSubKey(KEEP);
        byte[] dataKey = ring.keys().requireActive(Purpose.DATA).required();
        assertThat(fresh.derive(dataKey)).isNotNull();
        byte[] salt = fresh.salt().clone();
        salt[0] ^= 1;
        SubKey moved = new SubKey(fresh.id(), fresh.keyId(), 0, 0, salt, fresh.commitment());
        assertThat(moved.derive(dataKey)).isNull();
        assertThat(fresh.derive(new byte[32])).isNull();
    }

    /** A key file of a former build in {@code src/test/resources/format-1}. */
    @Test
    void aKeyFileOfFormat1IsReadAndBecomesOneOfFormat2OnTheFirstWrite() throws IOException {
        Path sample = Path.of("src", "test", "resources", "format-1", "KEYS");
        Files.write(file, Files.readAllBytes(sample));
        lockedByPassphrase();
        KeyRing old = open();
        assertThat(old.keys().subKeys()).hasSize(1);
        assertThat(old.subKeysOfFormat1(1)).hasSize(1);
        assertThat(Files.readAllBytes(file)).isEqualTo(Files.readAllBytes(sample));
        SubKey fresh = old.freshSubKey(Long.MAX_VALUE / 2);
        assertThat(Files.readAllBytes(file)[4]).isEqualTo(KeyFile.FORMAT);
        KeyRing now = open();
        assertThat(now.subKeysOfFormat1(1)).isEqualTo(old.subKeysOfFormat1(1));
        assertThat(now.indexKey()).isEqualTo(old.indexKey());
        assertThat(now.keyId()).isEqualTo(old.keyId());
        assertThat(now.keys().requireActive(Purpose.SIGNING).epoch()).isEqualTo(1);
        assertThat(now.subKey(fresh.id())).isNotNull();
    }

    /** A key file of this build in {@code src/test/resources/keys-2}, made when the format was. */
    @Test
    void aKeyFileOfFormat2IsReadByLaterBuilds() throws IOException {
        Files.write(file, Files.readAllBytes(Path.of("src", "test", "resources", "keys-2", "KEYS")));
        lockedByPassphrase();
        KeyRing ring = open();
        assertThat(ring.keys().of(Purpose.DATA)).hasSize(2);
        assertThat(ring.keys().dataEpoch(1).by()).isEqualTo("sample");
        assertThat(ring.keys().subKeys()).hasSize(2);
        for (SubKey subKey : ring.keys().subKeys()) {
            assertThat(ring.subKey(subKey.id())).isNotNull();
        }
    }

    @Test
    @Tag("F55")
    void whoeverChangesTheFileAndItsChecksumIsFound() throws IOException {
        byte[] good = Files.readAllBytes(file);
        assertThat(LockedKeys.decode(good)).isInstanceOf(KeyFile.class);
        // What goes into Argon2 stands first and costs time; the checksum, which all of it is under, is tried
        // elsewhere.
        for (int at = 34; at < good.length - LockedKeys.CRC_BYTES; at += at < 100 ? 5 : 60) {
            byte[] bad = good.clone();
            bad[at] ^= 1;
            int crc = LockedKeys.crc(bad, bad.length - LockedKeys.CRC_BYTES);
            ByteBuffer.wrap(bad).putInt(bad.length - LockedKeys.CRC_BYTES, crc);
            Files.write(file, bad);
            assertThatThrownBy(this::open).as("byte %d", at).isInstanceOf(SetupException.class);
        }
    }

    @Test
    @Tag("F55")
    void randomAndTruncatedBytesAreNoKeyFile() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        for (int round = 0; round < 5_000; round++) {
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            assertThat(LockedKeys.decode(bytes)).isNull();
        }
        byte[] good = Files.readAllBytes(file);
        for (int length = 0; length < good.length; length++) {
            byte[] cut = Arrays.copyOf(good, length);
            assertThat(LockedKeys.decode(cut)).isNull();
            if (length > 8) {
                ByteBuffer.wrap(cut).putInt(length - 4, LockedKeys.crc(cut, length - 4));
                assertThat(LockedKeys.decode(cut)).isNull();
            }
        }
    }
}
