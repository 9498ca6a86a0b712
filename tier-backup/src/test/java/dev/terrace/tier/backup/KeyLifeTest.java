package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.spi.KeyReport;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators do with the keys of a folder. */
class KeyLifeTest {
    private static final long KEEP = 1_000_000;

    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);

    private BackupStorageSettings settings() throws IOException {
        Path key = temp.resolve("kek");
        if (!Files.exists(key)) {
            Files.writeString(key, "ab".repeat(32) + "\n");
        }
        return Backups.withPassphrase(temp.resolve("folder")).withKey(null, "terrace", null, "file", key.toString());
    }

    private Path file() {
        return temp.resolve("folder").resolve(Folder.KEYS);
    }

    private static List<KeyReport.Key> data(KeyReport report) {
        return report.keys().stream()
                .filter(key -> key.purpose().equals("data"))
                .toList();
    }

    @Test
    @Tag("F56")
    void aDestroyedEpochIsUnreadableNamedAndNowhereInTheFolder() throws IOException {
        String secret;
        SubKey old;
        FolderKeys.create(settings(), clock).close();
        KeyRing before = KeyRing.open(file(), settings(), clock);
        old = before.freshSubKey(KEEP);
        secret = HexFormat.of().formatHex(before.keys().dataEpoch(1).required());
        try (FolderKeys keys = FolderKeys.open(settings(), clock)) {
            assertThatThrownBy(() -> keys.destroy(1, "me"))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("epoch 1 is in use")
                    .hasMessageContaining("rotate");
            assertThatThrownBy(() -> keys.destroy(9, "me")).hasMessageContaining("no key epoch 9");
            keys.rotate("data", "me");
            keys.destroy(1, "me");
            assertThatThrownBy(() -> keys.destroy(1, "me"))
                    .hasMessageContaining("key epoch 1 was destroyed on 2023-11-14")
                    .hasMessageContaining("by me");
            assertThat(data(keys.report())).extracting(KeyReport.Key::state).containsExactly("destroyed", "active");
        }
        KeyRing ring = KeyRing.open(file(), settings(), clock);
        assertThat(ring.subKey(old.id())).isNull();
        assertThat(ring.subKeysOfFormat1(old.shortId())).isEmpty();
        assertThat(KeyRing.whenDestroyed(ring.destroyed(key -> key.id() == old.id())))
                .contains("epoch 1 was destroyed");
        assertThat(ring.keys().dataEpoch(1).secret()).isNull();
        try (Stream<Path> files = Files.list(temp.resolve("folder"))) {
            assertThat(files.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder(Folder.KEYS, Folder.MARKER, Folder.OWNER);
        }
        assertThat(secret).hasSize(64);
    }

    @Test
    void whatACrashLeftOfAFormerKeyFileIsOverwrittenAtTheNextOpen() throws IOException {
        FolderKeys.create(settings(), clock).close();
        Path left = file().resolveSibling("KEYS.scrub");
        Files.write(left, Files.readAllBytes(file()));
        Path alias = Files.createLink(temp.resolve("alias"), left);
        FolderKeys.open(settings(), clock).close();
        assertThat(left).doesNotExist();
        assertThat(Files.readAllBytes(alias)).containsOnly(0);
        // A crash before the new file was in place: the link is the file itself.
        Files.createLink(left, file());
        FolderKeys.open(settings(), clock).close();
        assertThat(left).doesNotExist();
    }

    @Test
    @Tag("F55")
    void theKeysAreLockedAnewByEveryKindAndTheOldKeyOpensThemNoMore() throws IOException {
        BackupStorageSettings service = settings();
        BackupStorageSettings passphrase = service.withKey(null, "terrace", new Secret("new words"), null, null);
        Path keystore = temp.resolve("new.bcfks");
        BackupKeystore.create(keystore, "terrace", Backups.PASSPHRASE);
        BackupStorageSettings stored = service.withKey(keystore, "terrace", Backups.PASSPHRASE, null, null);
        FolderKeys.create(service, clock).close();
        KeyRing first = KeyRing.open(file(), service, clock);
        SubKey subKey = first.freshSubKey(KEEP);
        BackupStorageSettings now = service;
        for (BackupStorageSettings next : List.of(passphrase, stored, service)) {
            BackupStorageSettings former = now;
            byte[] before = Files.readAllBytes(file());
            try (FolderKeys keys = FolderKeys.open(former, clock)) {
                keys.rewrap(next);
            }
            assertThat(Files.readAllBytes(file())).isNotEqualTo(before);
            assertThatThrownBy(() -> FolderKeys.open(former, clock))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("locked by");
            assertThat(KeyRing.open(file(), next, clock).subKey(subKey.id())).isEqualTo(first.secretOf(subKey));
            now = next;
        }
    }

    @Test
    void aJournalIsLockedAnewLikeL3() throws IOException {
        Path path = temp.resolve("journal");
        assertThat(FolderKeys.openJournal(path, settings(), clock)).isNull();
        try (Folder folder = Folder.take(Folder.Kind.JOURNAL, path, true)) {
            KeyRing.create(folder.keys(), settings(), clock);
            folder.mark(true);
        }
        Path other = Files.writeString(temp.resolve("other"), "ef".repeat(32));
        BackupStorageSettings next = settings().withKey(null, "terrace", null, "file", other.toString());
        try (FolderKeys keys = FolderKeys.openJournal(path, settings(), clock)) {
            assertThat(keys).isNotNull();
            keys.rewrap(next);
        }
        assertThatThrownBy(() -> FolderKeys.openJournal(path, settings(), clock))
                .isInstanceOf(SetupException.class);
        try (FolderKeys keys = FolderKeys.openJournal(path, next, clock)) {
            assertThat(keys).isNotNull();
        }
    }

    @Test
    @Tag("F55")
    void aKeyServiceThatRefusesOrHangsIsNamedInOneLine() throws IOException {
        FolderKeys.create(settings(), clock).close();
        String key = String.valueOf(settings().keyName());
        Files.writeString(Path.of(key), "cd".repeat(32));
        assertThatThrownBy(() -> FolderKeys.open(settings(), clock))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("key service 'file' does not give key '" + key + "'")
                .hasMessageContaining("another key");
        Files.writeString(Path.of(key), "no key");
        assertThatThrownBy(() -> FolderKeys.open(settings(), clock)).hasMessageContaining("64 hexadecimal digits");
        Files.delete(Path.of(key));
        BackupStorageSettings gone = settings().withKey(null, "terrace", null, "file", temp + "/gone");
        assertThatThrownBy(() -> FolderKeys.open(gone, clock)).hasMessageContaining("no such file");
        BackupStorageSettings unknown = settings().withKey(null, "terrace", null, "kms", "k");
        assertThatThrownBy(() -> FolderKeys.open(unknown, clock))
                .hasMessageContaining("no key service 'kms'")
                .hasMessageContaining("[file]");
        assertThatThrownBy(() -> KeyServices.ask("file", "k", service -> asleep(), 50))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("no answer within 50 ms");
    }

    @SuppressWarnings("ThreadJoinLoop") // it is to hang until it is interrupted
    private static byte[] asleep() throws IOException {
        try {
            Thread.currentThread().join();
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
        return new byte[0];
    }

    @Test
    void aPlainFolderHasNoKeysAndOneThatIsNotThereIsNotMade() {
        Path folder = temp.resolve("none");
        assertThatThrownBy(() -> FolderKeys.open(Backups.plain(folder), clock))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("encryption is false");
        assertThatThrownBy(() -> FolderKeys.open(Backups.withPassphrase(folder), clock))
                .hasMessageContaining("no L3 folder")
                .hasMessageContaining("keys init");
        assertThat(folder).doesNotExist();
    }

    @Test
    void whatIsToldOfAKeyIsNotTheKey() throws IOException {
        try (FolderKeys keys = FolderKeys.create(settings(), clock)) {
            KeyReport report = keys.report();
            assertThat(report.lockedBy()).startsWith("key service file, key ");
            assertThat(report.keys())
                    .extracting(KeyReport.Key::purpose)
                    .containsExactlyInAnyOrder("data", "index", "signing");
            assertThat(report.keys())
                    .filteredOn(key -> key.purpose().equals("signing"))
                    .allMatch(key -> key.fingerprint().matches("[0-9a-f]{16}"));
            assertThatThrownBy(() -> keys.rotate("index", "me")).hasMessageContaining("data and signing");
            assertThatThrownBy(() -> FolderKeys.create(settings(), clock)).hasMessageContaining("keys already");
        }
    }
}
