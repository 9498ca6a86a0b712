package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.JournalSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Steps that the tests of the journal share. */
final class Journals {
    private static final long NOW = 1_700_000_000_000L;

    private Journals() {}

    static JournalSettings settings(Path folder) {
        return JournalSettings.defaults().withPath(folder);
    }

    static TestContext context(Path folder) {
        return context(settings(folder), Backups.plain(folder.resolveSibling("no-backup")));
    }

    static TestContext encrypted(Path folder) {
        return context(settings(folder), Backups.withPassphrase(folder.resolveSibling("no-backup")));
    }

    static TestContext context(JournalSettings journal, BackupStorageSettings backup) {
        return new TestContext(InstantSource.system(), journal, backup);
    }

    static WriteJournal open(TestContext context) {
        return new RocksJournalProvider().open(context);
    }

    static Version version(int number) {
        return Version.of(NOW + number, 0, 2);
    }

    static CacheKey key(String key) {
        return CacheKey.of("quotes", key);
    }

    static Entry entry(String key, int number, String value) {
        return Entries.value(key(key), version(number), NOW, Duration.ofDays(1), value);
    }

    static WriteJournal.Wait waits(String key, int number, String value) {
        return new WriteJournal.Wait(entry(key, number, value), NOW + number);
    }

    static WriteJournal.Done done(String key, int number) {
        return new WriteJournal.Done(key(key), version(number));
    }

    static WriteJournal.Bury bury(String key, int number, String value) {
        return new WriteJournal.Bury(
                new WriteJournal.Dead(entry(key, number, value), NOW + number, NOW + 2 * number, 3, "refused: é"));
    }

    static void keep(WriteJournal journal, WriteJournal.Step... steps) {
        assertThat(Backups.await(journal.take(List.of(steps)))).isEqualTo(WriteJournal.Outcome.KEPT);
    }

    /** What waits, as key and value. */
    static Map<String, String> waiting(WriteJournal journal) {
        Map<String, String> found = new TreeMap<>();
        journal.load()
                .waiting()
                .forEach(wait -> found.put(
                        new String(wait.key().keyBytes(), java.nio.charset.StandardCharsets.UTF_8),
                        Entries.text(wait.entry())));
        return found;
    }
}
