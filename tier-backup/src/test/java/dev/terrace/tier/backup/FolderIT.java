package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderIT {
    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();

    private RocksTier open(BackupStorageSettings settings) {
        return Backups.open(new TestContext(clock, settings));
    }

    /** Every file with a digest of its content. */
    private static Map<String, Integer> content(Path folder) throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
                found.put(folder.relativize(file).toString(), Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return found;
    }

    private static void refusesWithoutTouching(Path folder, ThrowableAssert.ThrowingCallable open, String... words)
            throws IOException {
        Map<String, Integer> before = content(folder);
        assertThatThrownBy(open).isInstanceOf(SetupException.class).hasMessageContainingAll(words);
        assertThat(content(folder)).isEqualTo(before);
    }

    @Test
    void entriesOutliveTheProcessPlainAndEncryptedEitherWay() {
        Path keys = temp;
        for (BackupStorageSettings settings : new BackupStorageSettings[] {
            Backups.plain(temp.resolve("a/b/plain")),
            Backups.withPassphrase(temp.resolve("passphrase")),
            Backups.withKeystore(temp.resolve("keystore"), keys)
        }) {
            for (int life = 0; life < 3; life++) {
                RocksTier tier = open(settings);
                for (int before = 0; before < life; before++) {
                    assertThat(Backups.read(tier, "life" + before)).isEqualTo("value" + before);
                }
                Backups.store(tier, Backups.entry("life" + life, clock.millis(), life, "value" + life));
                tier.close();
            }
        }
    }

    @Test
    void aForeignFolderIsNotTouched() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("documents"));
        Files.writeString(folder.resolve("thesis.txt"), "years of work");
        refusesWithoutTouching(folder, () -> open(Backups.plain(folder)), folder.toString(), "thesis.txt", "empty");
    }

    @Test
    void aLaterFormatIsRefused() throws IOException {
        Path folder = temp.resolve("later");
        open(Backups.plain(folder)).close();
        Path marker = folder.resolve("TERRACE");
        Files.writeString(marker, Files.readString(marker).replace("format=1", "format=2"));
        refusesWithoutTouching(folder, () -> open(Backups.plain(folder)), "format '2'", "another folder");
        Files.write(marker, new byte[] {0, 1, 2});
        refusesWithoutTouching(folder, () -> open(Backups.plain(folder)), "format ''");
    }

    @Test
    void anInterruptedFirstStartIsNoObstacle() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("half"));
        Files.writeString(folder.resolve("OWNER"), "999999\n");
        Files.write(folder.resolve("KEYS"), new byte[10]);
        Files.write(folder.resolve("TERRACE.new"), new byte[3]);
        Files.createDirectories(folder.resolve("lost+found"));
        RocksTier tier = open(Backups.withPassphrase(folder));
        Backups.store(tier, Backups.entry("k", clock.millis(), 1, "v"));
        tier.close();
    }

    @Test
    void aFileInPlaceOfTheFolderIsRefused() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "x");
        assertThatThrownBy(() -> open(Backups.plain(file)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("is a file");
        assertThatThrownBy(() -> open(Backups.plain(file.resolve("below"))))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("cannot be used");
        assertThatThrownBy(() -> open(Backups.plain(Path.of("/proc/terrace"))))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("/proc/terrace");
    }

    @Test
    void aReadOnlyFolderIsRefused() throws Exception {
        Path folder = temp.resolve("frozen");
        open(Backups.plain(folder)).close();
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && run("mount", "--bind", folder.toString(), folder.toString())
                        && run("mount", "-o", "remount,ro,bind", folder.toString()),
                "skipped: a read-only bind mount needs root on Linux");
        try {
            refusesWithoutTouching(folder, () -> open(Backups.plain(folder)), folder.toString(), "writable");
        } finally {
            run("umount", "-l", folder.toString());
        }
    }

    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    @Test
    @Tag("F46")
    void aSecondOpenNamesTheOwner() throws Exception {
        Path folder = temp.resolve("shared");
        RocksTier tier = open(Backups.plain(folder));
        try {
            assertThatThrownBy(() -> open(Backups.plain(folder)))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("in use by this process")
                    .hasMessageContaining(Long.toString(ProcessHandle.current().pid()));
            ChildWriter child = ChildWriter.start(folder);
            try {
                assertThat(child.output())
                        .contains("in use by process " + ProcessHandle.current().pid());
            } finally {
                child.kill();
            }
            Backups.store(tier, Backups.entry("still", clock.millis(), 1, "mine"));
        } finally {
            tier.close();
        }
        RocksTier next = open(Backups.plain(folder));
        assertThat(Backups.read(next, "still")).isEqualTo("mine");
        next.close();
    }

    @Test
    @Tag("F55")
    void aWrongKeyNamesTheKeyAndChangesNothing() throws IOException {
        Path byPassphrase = temp.resolve("byPassphrase");
        open(Backups.withPassphrase(byPassphrase)).close();
        Duration day = Duration.ofDays(1);
        refusesWithoutTouching(
                byPassphrase,
                () -> open(Backups.settings(byPassphrase, true, null, new Secret("battery staple"), day)),
                "wrong key",
                "key id",
                "KEYS",
                "nothing was changed");
        Path byKeystore = temp.resolve("byKeystore");
        BackupStorageSettings right = Backups.withKeystore(byKeystore, temp);
        open(right).close();
        Path other = temp.resolve("other.bcfks");
        BackupKeystore.create(other, "terrace", Backups.PASSPHRASE);
        refusesWithoutTouching(
                byKeystore,
                () -> open(Backups.settings(byKeystore, true, other, Backups.PASSPHRASE, day)),
                "wrong key",
                "key id");
        refusesWithoutTouching(
                byKeystore,
                () -> open(Backups.settings(byKeystore, true, right.keystore(), new Secret("no"), day)),
                "wrong password");
        refusesWithoutTouching(
                byKeystore,
                () -> open(Backups.settings(byKeystore, true, temp.resolve("none"), Backups.PASSPHRASE, day)),
                "does not exist");
        refusesWithoutTouching(
                byKeystore,
                () -> open(Backups.settings(byKeystore, true, null, Backups.PASSPHRASE, day)),
                "locked by a keystore");
        assertThatThrownBy(() -> open(Backups.settings(byKeystore, true, null, null, day)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("needs a key");
        assertThatThrownBy(() -> BackupKeystore.create(other, "terrace", Backups.PASSPHRASE))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("exists already");
        open(right).close();
    }

    @Test
    @Tag("F55")
    void encryptionCannotBeSwitchedOnAFolderThatHoldsData() throws IOException {
        Path plain = temp.resolve("plain");
        open(Backups.plain(plain)).close();
        refusesWithoutTouching(
                plain, () -> open(Backups.withPassphrase(plain)), "holds plain data", "set encryption: false");
        Path sealed = temp.resolve("sealed");
        open(Backups.withPassphrase(sealed)).close();
        refusesWithoutTouching(
                sealed, () -> open(Backups.plain(sealed)), "holds encrypted data", "set encryption: true");
    }

    @Test
    @Tag("F55")
    void aDamagedKeyFileIsNamed() throws IOException {
        Path folder = temp.resolve("damaged");
        open(Backups.withPassphrase(folder)).close();
        byte[] keys = Files.readAllBytes(folder.resolve("KEYS"));
        for (int at = 0; at < keys.length; at += 5) {
            byte[] bad = keys.clone();
            bad[at] ^= 1;
            Files.write(folder.resolve("KEYS"), bad);
            refusesWithoutTouching(folder, () -> open(Backups.withPassphrase(folder)), "KEYS", "nothing was changed");
        }
        Files.delete(folder.resolve("KEYS"));
        refusesWithoutTouching(folder, () -> open(Backups.withPassphrase(folder)), "KEYS");
        Files.write(folder.resolve("KEYS"), keys);
        open(Backups.withPassphrase(folder)).close();
    }

    @Test
    @Tag("F59")
    void namesAndValuesDoNotStandInAnyFileOfAnEncryptedFolder() throws IOException {
        Path folder = temp.resolve("canary");
        RocksTier tier = open(Backups.withPassphrase(folder));
        for (int i = 0; i < 300; i++) {
            Backups.store(tier, Backups.entry("canary-key-" + i, clock.millis(), i, "canary-value-" + "!".repeat(i)));
        }
        tier.close();
        open(Backups.withPassphrase(folder)).close();
        int files = 0;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
                String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                assertThat(text).as("%s", file).doesNotContain("canary-", Backups.PASSPHRASE.reveal());
                files++;
            }
        }
        assertThat(files).isGreaterThan(5);
    }
}
