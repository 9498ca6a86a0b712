package dev.terrace.tier.backup;

import static dev.terrace.tier.backup.Journals.bury;
import static dev.terrace.tier.backup.Journals.done;
import static dev.terrace.tier.backup.Journals.entry;
import static dev.terrace.tier.backup.Journals.keep;
import static dev.terrace.tier.backup.Journals.key;
import static dev.terrace.tier.backup.Journals.version;
import static dev.terrace.tier.backup.Journals.waits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.JournalSettings;
import dev.terrace.spi.WriteJournal;
import dev.terrace.spi.WriteJournal.Dead;
import dev.terrace.spi.WriteJournal.Forget;
import dev.terrace.spi.WriteJournal.Outcome;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RocksJournalIT {
    @TempDir
    Path temp;

    private Path folder() {
        return temp.resolve("journal");
    }

    private List<TestContext> plainAndEncrypted() {
        return List.of(Journals.context(temp.resolve("plain")), Journals.encrypted(temp.resolve("encrypted")));
    }

    @Test
    void whatWasKeptIsThereAgainPlainAndEncrypted() {
        for (TestContext context : plainAndEncrypted()) {
            try (WriteJournal journal = Journals.open(context)) {
                assertThat(journal.load().waiting()).isEmpty();
                keep(journal, waits("a", 1, "old"));
                keep(journal, waits("a", 2, "new"), waits("b", 3, "b"), waits("c", 4, "c"));
                // Overtaken: something newer waits. Then one that is not.
                keep(journal, done("a", 1), done("c", 4));
                keep(journal, bury("b", 3, "b"), bury("d", 5, "d"));
                keep(journal, new Forget(key("d"), version(5)));
                assertThat(journal.trouble()).isNull();
            }
            try (WriteJournal journal = Journals.open(context)) {
                assertThat(journal.load().waiting()).containsExactly(waits("a", 2, "new"));
                assertThat(journal.load().dead())
                        .containsExactly(bury("b", 3, "b").dead());
                assertThat(journal.load().damaged()).isZero();
                // A dead letter that waits again, in one step.
                keep(journal, new Forget(key("b"), version(3)), waits("b", 3, "b"));
            }
            try (WriteJournal journal = Journals.open(context)) {
                assertThat(Journals.waiting(journal)).isEqualTo(Map.of("a", "new", "b", "b"));
                assertThat(journal.load().dead()).isEmpty();
            }
        }
    }

    @Test
    void stepsOfOneCallStandTogetherInTheirOrder() {
        try (WriteJournal journal = Journals.open(Journals.context(folder()))) {
            keep(journal, waits("a", 1, "1"), done("a", 1), waits("a", 2, "2"), bury("a", 2, "2"), waits("a", 3, "3"));
        }
        try (WriteJournal journal = Journals.open(Journals.context(folder()))) {
            assertThat(Journals.waiting(journal)).isEqualTo(Map.of("a", "3"));
            assertThat(journal.load().dead()).extracting(Dead::entry).containsExactly(entry("a", 2, "2"));
        }
    }

    @Test
    void everyWayOfSyncingKeepsEverything() {
        for (JournalSettings.Sync sync : JournalSettings.Sync.values()) {
            Path folder = temp.resolve(sync.name());
            TestContext context = Journals.context(
                    Journals.settings(folder).withSync(sync, Duration.ofMillis(5)),
                    Backups.plain(temp.resolve("none")));
            List<CompletionStage<Outcome>> asked = new ArrayList<>();
            Map<String, String> expected = new TreeMap<>();
            try (WriteJournal journal = Journals.open(context)) {
                for (int i = 0; i < 2_000; i++) {
                    asked.add(journal.take(List.of(waits("k" + i % 700, i + 1, "v" + i))));
                    expected.put("k" + i % 700, "v" + i);
                }
                asked.forEach(stage -> assertThat(Backups.await(stage)).isEqualTo(Outcome.KEPT));
            }
            try (WriteJournal journal = Journals.open(context)) {
                assertThat(Journals.waiting(journal)).as(sync.name()).isEqualTo(expected);
            }
        }
    }

    @Test
    void whatComesAfterClosingIsToldSo() {
        WriteJournal journal = Journals.open(Journals.context(folder()));
        journal.close();
        assertThat(Backups.await(journal.take(List.of(waits("a", 1, "a"))))).isEqualTo(Outcome.CLOSED);
        journal.close();
    }

    @Test
    void nothingStandsInClearWhereL3IsEncrypted() throws IOException {
        TestContext context = Journals.encrypted(folder());
        try (WriteJournal journal = Journals.open(context)) {
            keep(journal, waits("a-secret-key", 1, "a-secret-value"), bury("another-key", 2, "another-value"));
        }
        for (Path file : files()) {
            assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                    .as(file.toString())
                    .doesNotContain("a-secret", "another-", "refused");
        }
        assertThatThrownBy(() -> Journals.open(Journals.context(folder())))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("journal.path")
                .hasMessageContaining("encrypted");
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(folder())) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void aFolderBelongsToOneProcessAndOnePurpose() {
        try (WriteJournal journal = Journals.open(Journals.context(folder()))) {
            assertThatThrownBy(() -> Journals.open(Journals.context(folder())))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("journal.path")
                    .hasMessageContaining("in use");
        }
        TestContext asBackup = new TestContext(java.time.InstantSource.system(), Backups.plain(folder()));
        assertThatThrownBy(() -> Backups.open(asBackup)).isInstanceOf(SetupException.class);
    }

    @Test
    @Tag("F75")
    void aReadOnlyFolderIsNamed() throws IOException {
        // Root may write anywhere, so a file in the folder's place stands for a place that cannot be written.
        Files.writeString(folder(), "not a folder");
        assertThatThrownBy(() -> Journals.open(Journals.context(folder())))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("journal.path " + folder());
        Path locked = temp.resolve("locked");
        Files.createDirectory(
                locked, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        if (!Files.isWritable(locked)) {
            assertThatThrownBy(() -> Journals.open(Journals.context(locked.resolve("journal"))))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("cannot be used");
        }
    }

    /** What a kill leaves of many writes: everything is in the log. */
    private void killed(int writes) throws IOException {
        Path live = temp.resolve("live");
        try (WriteJournal journal = Journals.open(Journals.context(live))) {
            for (int i = 0; i < writes; i += 50) {
                List<WriteJournal.Step> steps = new ArrayList<>();
                for (int k = i; k < Math.min(writes, i + 50); k++) {
                    steps.add(waits("k" + k, k + 1, JournalChild.value("k" + k)));
                }
                assertThat(Backups.await(journal.take(steps))).isEqualTo(Outcome.KEPT);
            }
            try (Stream<Path> all = Files.walk(live)) {
                for (Path source : (Iterable<Path>) all::iterator) {
                    Files.copy(source, folder().resolve(live.relativize(source).toString()));
                }
            }
        }
    }

    private Path newest(String suffix) throws IOException {
        return files().stream()
                .filter(file ->
                        file.toString().endsWith(suffix) && file.toFile().length() > 0)
                .max(java.util.Comparator.comparing(file -> file.toFile().length()))
                .orElseThrow();
    }

    private static void flip(Path file, double where) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) (bytes.length * where)] ^= 0x10;
        Files.write(file, bytes);
    }

    @Test
    @Tag("F75")
    void aTornTailLosesNothingThatWasWhole() throws Exception {
        killed(200);
        Path log = newest(".log");
        byte[] bytes = Files.readAllBytes(log);
        Files.write(log, java.util.Arrays.copyOf(bytes, bytes.length - 7));
        try (WriteJournal journal = Journals.open(Journals.context(folder()))) {
            assertThat(journal.load().waiting()).hasSizeBetween(150, 200);
            keep(journal, waits("after", 9_999, "works"));
        }
    }

    @Test
    @Tag("F75")
    void aFlippedBitInTheLogIsSetAsideAndCounted() throws Exception {
        killed(400);
        flip(newest(".log"), 0.5);
        TestContext context = Journals.context(folder());
        try (WriteJournal journal = Journals.open(context)) {
            assertThat(journal.load().waiting()).hasSizeBetween(100, 399);
            Journals.waiting(journal).forEach((key, value) -> assertThat(value).isEqualTo(JournalChild.value(key)));
            assertThat(context.metrics().counter("journal.set_aside").getCount())
                    .isPositive();
            keep(journal, waits("after", 9_999, "works"));
        }
        assertThat(files()).anyMatch(file -> file.toString().contains("salvage-"));
    }

    @Test
    @Tag("F75")
    void aFlippedBitInATableIsSetAsideAndCounted() throws Exception {
        killed(400);
        // Opening brings the log into tables.
        Journals.open(Journals.context(folder())).close();
        flip(newest(".sst"), 0.4);
        TestContext context = Journals.context(folder());
        try (WriteJournal journal = Journals.open(context)) {
            assertThat(journal.load().waiting()).hasSizeLessThan(400);
            assertThat(journal.load().damaged()).isPositive();
            assertThat(context.metrics().counter("journal.set_aside").getCount())
                    .isPositive();
            keep(journal, waits("after", 9_999, "works"));
        }
        assertThat(Files.exists(folder())).isTrue();
        try (WriteJournal journal = Journals.open(Journals.context(folder()))) {
            assertThat(journal.load().damaged()).as("met once").isZero();
            assertThat(Journals.waiting(journal)).containsEntry("after", "works");
        }
    }

    @Test
    @Tag("F75")
    void aDatabaseThatDoesNotOpenIsMovedAsideWhole() throws Exception {
        killed(50);
        for (Path file : files()) {
            if (file.getFileName().toString().startsWith("MANIFEST")) {
                flip(file, 0.3);
            }
        }
        TestContext context = Journals.context(folder());
        try (WriteJournal journal = Journals.open(context)) {
            assertThat(context.metrics().counter("journal.set_aside").getCount())
                    .isPositive();
            keep(journal, waits("after", 9_999, "works"));
        }
        assertThat(files()).anyMatch(file -> file.toString().contains("damaged-"));
    }

    @Test
    @Tag("F75")
    void whatWasKeptSurvivesAKillInMidWrite() throws Exception {
        for (String sync : List.of("call", "background")) {
            Path folder = temp.resolve("killed-" + sync);
            Process child = JournalChild.start(folder, sync);
            int acknowledged;
            try {
                acknowledged = JournalChild.awaitAcknowledged(child, 600);
            } finally {
                child.destroyForcibly().waitFor();
            }
            assertThat(acknowledged).isGreaterThanOrEqualTo(600);
            TestContext context = Journals.context(folder);
            try (WriteJournal journal = Journals.open(context)) {
                Map<String, String> waiting = Journals.waiting(journal);
                for (int i = 0; i <= acknowledged; i++) {
                    assertThat(waiting).containsKey("k" + i);
                }
                assertThat(context.metrics().counter("journal.set_aside").getCount())
                        .isZero();
            }
        }
    }
}
