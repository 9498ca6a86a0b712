package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.BackupStorageSettings.RestoreOnStart;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.PrunePlan;
import dev.terrace.tier.backup.repo.Pruner;
import dev.terrace.tier.backup.repo.Repository;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A restore under way that is stopped, or that the world goes on beside, at a place that is known: one table file, in which nothing lies but the key {@code held},
 * does not come out of the repository. So all parts but one are copied, and the restore cannot end.
 */
class LiveRestoreGoesOnIT {
    private static final int KEYS = 30;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();
    private int counter;
    private @Nullable RocksTier tier;

    @AfterEach
    void close() {
        if (tier != null) {
            tier.close();
        }
    }

    private URI url(String repository) {
        return URI.create("file:" + temp.resolve(repository));
    }

    private BackupStorageSettings writer(String folder, String repository) {
        return Backups.plain(temp.resolve(folder))
                .withObjectStorage(ObjectStorageSettings.of(url(repository)))
                .withSchedule(new BackupSchedule(Duration.ofMinutes(10), Duration.ofDays(7), 24, 7));
    }

    private BackupStorageSettings fresh(String repository) {
        return writer("fresh", repository).withRestore(RestoreOnStart.IF_EMPTY);
    }

    private RocksTier open(BackupStorageSettings settings) {
        return Backups.open(new TestContext(clock, settings));
    }

    private void put(RocksTier to, Entry entry) {
        clock.advance(Duration.ofMillis(1));
        assertThat(Backups.await(to.put(entry, WriteCondition.IF_NEWER))).isInstanceOf(StoreOutcome.Applied.class);
    }

    private void put(RocksTier to, String key, String text) {
        put(to, Backups.entry(key, clock.millis(), counter++, text));
    }

    private void putAll(RocksTier to, String text) {
        for (int i = 0; i < KEYS; i++) {
            put(to, "k" + i, text);
        }
    }

    /** The file that is held back, and then everything else: all keys twice, once in the snapshot and once after it. */
    private Path publish(String folder, String repository) throws Exception {
        RocksTier to = open(writer(folder, repository));
        Path held;
        try {
            put(to, "held", "held");
            assertThat(Backups.await(to.snapshot())).isEmpty();
            held = temp.resolve(repository)
                    .resolve(plan(repository).files().stream()
                            .filter(file -> file.file().endsWith(".sst"))
                            .max(Comparator.comparing(file -> file.file()))
                            .orElseThrow()
                            .blob()
                            .name());
            clock.advance(Duration.ofHours(4)); // Into another partition, which has files of its own.
            putAll(to, "first");
            put(to, beside(), "beside");
            assertThat(Backups.await(to.snapshot())).isEmpty();
            putAll(to, "second");
        } finally {
            to.close(); // Ships the rest.
        }
        clock.advance(Duration.ofSeconds(1));
        return held;
    }

    private RestorePlan plan(String repository) throws Exception {
        BackupStorageSettings settings = writer("any", repository);
        try (BlobStore store = BackupRepository.open(url(repository), new TestContext(clock, settings))) {
            return RestorePlan.of(
                            new BackupRepository(store, settings, clock).of(1).chain(1), null)
                    .orElseThrow();
        }
    }

    /** A key whose part is that of the key that is held back. */
    private static String beside() {
        byte[] held = KeyHash.plain().of(Backups.key("held"));
        int i = 0;
        while (KeyHash.plain().of(Backups.key("beside" + i))[0] != held[0]) {
            i++;
        }
        return "beside" + i;
    }

    private static Path away(Path file) {
        return file.resolveSibling(file.getFileName() + ".away");
    }

    private static void takeAway(Path file) throws IOException {
        Files.move(file, away(file));
    }

    private static void putBack(Path file) throws IOException {
        Files.move(away(file), file);
    }

    private static void spoil(Path file) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            byte[] some = new byte[64];
            bytes.readFully(some);
            for (int i = 0; i < some.length; i++) {
                some[i] ^= 0x5A;
            }
            bytes.seek(0);
            bytes.write(some);
        }
    }

    private static @Nullable RestoreReport report(RocksTier of) {
        return of.restore();
    }

    /** All parts are copied but the one that cannot be. */
    private RocksTier restoredButOne(BackupStorageSettings settings) {
        RocksTier node = open(settings);
        tier = node;
        awaitAllButOne(node);
        assertThat(answer(node, "k1")).isEqualTo("second");
        return node;
    }

    private static void awaitAllButOne(RocksTier node) {
        Awaitility.await().atMost(PATIENCE).until(() -> {
            RestoreReport now = Objects.requireNonNull(report(node));
            return now.partsDone() == now.parts() - 1;
        });
    }

    private void stop() {
        Objects.requireNonNull(tier).close();
        assertThat(temp.resolve("fresh").resolve(RestoreNote.FILE)).exists();
    }

    private RocksTier awaitDone(RocksTier node) {
        tier = node;
        Awaitility.await().atMost(PATIENCE).until(() -> {
            RestoreReport now = report(node);
            return now == null || now.state() == RestoreReport.State.DONE;
        });
        return node;
    }

    /** What it says as soon as it can say something. */
    private static String answer(RocksTier node, String key) {
        AtomicReference<String> answer = new AtomicReference<>();
        Awaitility.await()
                .atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    Lookup found = Backups.await(node.get(CacheKey.of("backup", key)));
                    answer.set(
                            !(found instanceof Lookup.Hit hit)
                                    ? "nothing"
                                    : hit.entry().isValue() ? Entries.text(hit.entry()) : "deleted");
                    return !(found instanceof Lookup.Unavailable);
                });
        return answer.get();
    }

    @Test
    @Tag("F47")
    void afterARestartTheNewerPlanCountsAndNothingOfTheOlderOne() throws Exception {
        Path held = publish("one", "repository");
        spoil(held);
        restoredButOne(fresh("repository"));
        for (String text : List.of("third", "fourth")) {
            stop();
            goOn(text);
            RocksTier node = open(fresh("repository"));
            tier = node;
            for (int i = 0; i < KEYS; i++) {
                assertThat(answer(node, "k" + i)).as("meanwhile, k" + i).isEqualTo(expected(i, text));
            }
            awaitAllButOne(node);
        }
        RocksTier node = Objects.requireNonNull(tier);
        spoil(held); // Once more is as it was.
        awaitDone(node);
        for (int i = 0; i < KEYS; i++) {
            assertThat(answer(node, "k" + i)).as("at the end, k" + i).isEqualTo(expected(i, "fourth"));
        }
        assertThat(answer(node, "held")).isEqualTo("held");
    }

    /** The writer is alive elsewhere: it overwrites, deletes for long and deletes for so short that the node hears of it too late. */
    private void goOn(String text) {
        clock.advance(Duration.ofMinutes(10)); // More than clocks may differ.
        RocksTier one = open(writer("one", "repository"));
        try {
            for (int i = 0; i < KEYS; i++) {
                switch (i % 3) {
                    case 0 -> put(one, "k" + i, text);
                    case 1 -> put(one, deletion(i, Duration.ofDays(2)));
                    default -> put(one, deletion(i, Duration.ofHours(1)));
                }
            }
            assertThat(Backups.await(one.snapshot())).isEmpty();
        } finally {
            one.close();
        }
        clock.advance(Duration.ofHours(2));
    }

    private Entry deletion(int i, Duration keep) {
        return Entries.tombstone(
                Backups.key("k" + i), Entries.version(clock.millis(), counter++), clock.millis(), keep);
    }

    private static String expected(int i, String text) {
        return i % 3 == 0 ? text : i % 3 == 1 ? "deleted" : "nothing";
    }

    @Test
    @Tag("F47")
    void whatHasExpiredAtOneWriterKeepsWhatIsOlderAtAnotherOutWhileAPartIsOpen() throws Exception {
        takeAway(publish("one", "repository"));
        RocksTier two = open(writer("two", "repository"));
        try {
            long now = clock.millis();
            CacheKey key = Backups.key(beside());
            put(two, Entries.value(key, Entries.version(now, counter++), now, Duration.ofHours(1), "expired"));
            assertThat(Backups.await(two.snapshot())).isEmpty();
        } finally {
            two.close();
        }
        clock.advance(Duration.ofHours(2));
        // Of the second writer all parts are done, and nothing was copied; of the first that of this very key is open.
        assertThat(answer(restoredButOne(fresh("repository")), beside())).isEqualTo("nothing");
    }

    @Test
    void whatCameOutOfAnotherRepositoryIsNotTakenForThisOne() throws Exception {
        Path held = publish("wrong", "other");
        takeAway(held);
        RocksTier elsewhere = restoredButOne(fresh("other"));
        assertThat(Backups.await(elsewhere.snapshot())).as("as writer 2").isEmpty();
        stop();
        for (String name : List.of("one", "two")) {
            RocksTier to = open(writer(name, "repository"));
            try {
                put(to, "of " + name, name);
                put(to, "k1", "of this one");
                assertThat(Backups.await(to.snapshot())).isEmpty();
            } finally {
                to.close();
            }
        }
        RocksTier node = awaitDone(open(fresh("repository")));
        assertThat(answer(node, "k1")).isEqualTo("of this one");
        assertThat(answer(node, "of one")).isEqualTo("one");
        assertThat(answer(node, "of two"))
                .as("whatever number this folder had in the other one")
                .isEqualTo("two");
    }

    @Test
    @Tag("F51")
    void aRestorePointThatIsPrunedMeanwhileGivesWayToTheNextWithoutARestart() throws Exception {
        Path held = publish("one", "repository");
        spoil(held);
        RocksTier node = restoredButOne(fresh("repository"));
        clock.advance(Duration.ofHours(30)); // The partition of what is held back goes.
        RocksTier one = open(writer("one", "repository"));
        try {
            putAll(one, "third");
            assertThat(Backups.await(one.snapshot())).isEmpty();
        } finally {
            one.close();
        }
        try (BlobStore store =
                BackupRepository.open(url("repository"), new TestContext(clock, writer("any", "repository")))) {
            Repository of = new BackupRepository(store, writer("any", "repository"), clock).of(1);
            PrunePlan plan = PrunePlan.of(of.chain(1).load().orElseThrow(), new KeepPolicy(1, 0));
            new Pruner(of, of.chain(1), clock).execute(plan, 0);
        }
        assertThat(held).doesNotExist();
        awaitDone(node);
        for (int i = 0; i < KEYS; i++) {
            assertThat(answer(node, "k" + i)).isEqualTo("third");
        }
    }

    @Test
    void commandsThatOpenTheFolderLeaveTheRestoreAsItIs() throws Exception {
        Path held = publish("one", "repository");
        takeAway(held);
        BackupStorageSettings settings = fresh("repository");
        restoredButOne(settings);
        stop();
        OfflineBackup.snapshot(settings, new TestContext(clock, settings));
        assertThat(temp.resolve("fresh").resolve(RestoreNote.FILE)).exists();
        putBack(held);
        assertThat(answer(awaitDone(open(settings)), "held")).isEqualTo("held");
    }

    @Test
    void aFolderThatACommandHasMadeIsRestoredAtTheFirstStart() throws Exception {
        publish("one", "repository");
        BackupStorageSettings like = fresh("repository");
        BackupStorageSettings settings = Backups.withKeyFile(like.path(), temp.resolve("kek"))
                .withObjectStorage(like.objectStorage())
                .withSchedule(like.schedule())
                .withRestore(RestoreOnStart.IF_EMPTY);
        FolderKeys.create(settings, clock).close();
        assertThat(answer(awaitDone(open(settings)), "k1")).isEqualTo("second");
    }

    @Test
    void whatWasBroughtHereAndIsDamagedIsBroughtAgain() throws Exception {
        Path held = publish("one", "repository");
        takeAway(held);
        restoredButOne(fresh("repository"));
        stop();
        Files.writeString(changes().resolve("CURRENT"), "nothing of the kind");
        RocksTier node = open(fresh("repository"));
        tier = node;
        Awaitility.await()
                .atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(Objects.requireNonNull(report(node)).trouble())
                                .contains(String.valueOf(held.getFileName())));
        spoilTables(scratch().resolve("files"));
        assertThat(answer(node, beside())).as("neither wrong nor absent").isEqualTo("beside");
        stop();

        RocksTier next = open(fresh("repository")); // What lay in a log lies in table files from now on.
        tier = next;
        awaitAllButOne(next);
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() ->
                        Objects.requireNonNull(next.restore()).trouble().contains(String.valueOf(held.getFileName())));
        spoilTables(changes());
        putBack(held);
        awaitDone(next);
        assertThat(answer(next, "held")).isEqualTo("held");
        assertThat(answer(next, beside())).isEqualTo("beside");
        assertThat(answer(next, "k1")).isEqualTo("second");
    }

    private Path scratch() {
        return temp.resolve("fresh").resolve(RestoreNote.WORK).resolve("1");
    }

    private Path changes() throws IOException {
        try (Stream<Path> files = Files.list(scratch())) {
            return files.filter(file -> String.valueOf(file.getFileName()).startsWith("changes"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static void spoilTables(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> tables =
                    files.filter(one -> one.toString().endsWith(".sst")).toList();
            assertThat(tables).isNotEmpty();
            for (Path table : tables) {
                spoil(table);
            }
        }
    }

    @Test
    void aMergeOfEverythingEndsARestoreThatIsUnderWay() throws Exception {
        Path held = publish("one", "repository");
        takeAway(held);
        BackupStorageSettings settings = fresh("repository");
        restoredButOne(settings);
        stop();
        putBack(held);
        try (BlobStore store = BackupRepository.open(url("repository"), new TestContext(clock, settings))) {
            new Restore(store, settings, new TestContext(clock, settings), settings.path())
                    .merging()
                    .acceptingLoss()
                    .run(null, entry -> true, true, done -> {});
        }
        assertThat(settings.path().resolve(RestoreNote.FILE)).doesNotExist();
        assertThat(settings.path().resolve(RestoreNote.WORK)).doesNotExist();
        RocksTier node = open(settings);
        tier = node;
        assertThat(node.restore()).isNull();
        assertThat(answer(node, "held")).isEqualTo("held");
    }

    @Test
    void twoRestoresIntoOneFolderAreNotBegun() throws Exception {
        publish("one", "repository");
        BackupStorageSettings settings = writer("into", "repository");
        TestContext context = new TestContext(clock, settings);
        AtomicReference<Throwable> second = new AtomicReference<>();
        try (BlobStore store = BackupRepository.open(url("repository"), context)) {
            new Restore(store, settings, context, settings.path()).run(null, entry -> true, true, done -> {
                if (second.get() == null) {
                    try {
                        new Restore(store, settings, context, settings.path())
                                .run(null, entry -> true, true, ignored -> {});
                        second.set(new AssertionError("it ran beside the other"));
                    } catch (Exception e) {
                        second.set(e);
                    }
                }
            });
        }
        assertThat(second.get()).isInstanceOf(SetupException.class).hasMessageContaining("is in use");
        assertThat(settings.path().resolve("restoring")).doesNotExist();
        RocksTier node = open(settings);
        tier = node;
        assertThat(answer(node, "k1")).isEqualTo("second");
        assertThat(answer(node, "held")).isEqualTo("held");
    }
}
