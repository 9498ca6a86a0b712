package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.Anchor;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.Place;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.Verifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real folder in a repository, and back. */
class ShippingIT {
    private static final long HOUR = TimeUnit.HOURS.toMillis(1);

    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final BlobStore store = new HeapBucket(clock).open();
    private final BlobStore anchors = new HeapBucket(clock).open();
    private @Nullable KeepPolicy keep;
    private int counter;

    private RocksTier open(BackupStorageSettings settings) {
        return Backups.open(new TestContext(clock, settings));
    }

    private Shipping shipping(RocksTier tier, BackupStorageSettings settings, MetricRegistry metrics) throws Exception {
        Path folder = settings.path();
        KeyRing ring = settings.encryption() ? KeyRing.open(folder.resolve("KEYS"), settings, clock) : null;
        Place.Memory memory = new FolderPlace(folder.resolve("BACKUP"));
        return new Shipping(
                tier.vault().store(),
                new StoreCheckpoint(tier.vault().store(), folder.resolve("checkpoint"), clock),
                new Repository(store, RepositoryRing.signing(ring)),
                memory,
                new RepositoryRing(folder.resolve("KEYS")),
                new Shipping.Schedule(5_000, HOUR, keep),
                new Anchor(anchors, RepositoryRing.signing(ring)),
                clock,
                metrics);
    }

    private void put(RocksTier tier, String key, String text) {
        clock.advance(java.time.Duration.ofMillis(10));
        Backups.store(tier, Backups.entry(key, clock.millis(), counter++ % 60_000, text));
    }

    private Restore.Report restore(BackupStorageSettings settings, Path into, @Nullable Instant asOf) throws Exception {
        return new Restore(store, settings, new TestContext(clock, settings), into)
                .run(asOf, entry -> true, true, done -> {});
    }

    private Map<String, String> read(BackupStorageSettings settings, Path folder, Iterable<String> keys) {
        RocksTier tier = open(settings.withPath(folder));
        try {
            Map<String, String> found = new TreeMap<>();
            for (String key : keys) {
                String text = Backups.read(tier, key);
                if (text != null) {
                    found.put(key, text);
                }
            }
            return found;
        } finally {
            tier.close();
        }
    }

    @Test
    void afterSmallChangesSnapshotsStaySmall() throws Exception {
        int entries = 20_000;
        int changed = entries / 50;
        int rounds = 12;
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        MetricRegistry metrics = new MetricRegistry();
        RocksTier tier = open(settings);
        try {
            Shipping shipping = shipping(tier, settings, metrics);
            SplittableRandom random = new SplittableRandom(4711);
            putSome(tier, random, 0, entries);
            shipping.snapshot();
            Counter sent = metrics.counter("l3.backup.bytes");
            long whole = sent.getCount();
            long again = 0;
            for (int round = 0; round < rounds; round++) {
                putSome(tier, random, round * changed, changed);
                shipping.run();
                long before = sent.getCount();
                shipping.snapshot();
                again += sent.getCount() - before;
            }
            // Levels, which are merged whole, send everything again with each fourth.
            assertThat(again).isLessThan(3 * rounds * whole / 50);
        } finally {
            tier.close();
        }
    }

    private void putSome(RocksTier tier, SplittableRandom random, int from, int count) {
        List<Entry> batch = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            byte[] noise = new byte[200];
            random.nextBytes(noise);
            clock.advance(java.time.Duration.ofMillis(1));
            batch.add(
                    Backups.entry("key-" + i, clock.millis(), 0, HexFormat.of().formatHex(noise)));
            if (batch.size() == 500 || i == from + count - 1) {
                assertThat(Backups.await(tier.putAll(batch))).allMatch(StoreOutcome.Applied.class::isInstance);
                batch.clear();
            }
        }
    }

    @Test
    void everyMomentComesBackAsItWas() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("ShippingIT: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        BackupStorageSettings settings = Backups.shipped(Backups.withKeyFile(temp.resolve("l3"), temp.resolve("kek")));
        Map<String, String> model = new TreeMap<>();
        Map<Instant, Map<String, String>> history = new HashMap<>();
        RocksTier tier = open(settings);
        MetricRegistry metrics = new MetricRegistry();
        Shipping shipping = shipping(tier, settings, metrics);
        try {
            for (int step = 0; step < 9; step++) {
                for (int i = 0; i < 40; i++) {
                    String key = "k" + random.nextInt(60);
                    String text = "v" + step + "-" + i;
                    put(tier, key, text);
                    model.put(key, text);
                    if (i == 20) {
                        history.put(clock.instant(), new TreeMap<>(model));
                    }
                }
                if (step % 3 == 2) {
                    clock.advance(java.time.Duration.ofMillis(HOUR));
                }
                shipping.run();
                history.put(clock.instant(), new TreeMap<>(model));
                if (random.nextInt(3) == 0) {
                    tier.close();
                    tier = open(settings);
                    shipping = shipping(tier, settings, metrics);
                }
            }
            shipping.run();
        } finally {
            tier.close();
        }
        assertThat(metrics.counter("l3.backup.snapshots").getCount()).isGreaterThanOrEqualTo(3);
        assertThat(metrics.counter("l3.backup.deltas").getCount()).isGreaterThanOrEqualTo(6);
        assertThat(metrics.counter("l3.backup.gaps").getCount()).isZero();
        assertThat(metrics.counter("l3.backup.fenced").getCount()).isZero();
        assertThat(new Verifier(new BackupRepository(store, settings, clock).of(1), 1)
                        .verify(blob -> true, read -> {})
                        .problems())
                .isEmpty();

        restore(settings, temp.resolve("newest"), null);
        assertThat(read(settings, temp.resolve("newest"), model.keySet())).isEqualTo(model);
        java.util.List<Instant> moments =
                history.keySet().stream().sorted().skip(1).toList();
        for (int i = 0; i < 3; i++) {
            Instant moment = moments.get(random.nextInt(moments.size()));
            Path into = temp.resolve("as-of-" + i);
            restore(settings, into, moment);
            assertThat(read(settings, into, model.keySet())).as("at %s", moment).isEqualTo(history.get(moment));
        }
    }

    /** Text that compression leaves half of, so that it, and not what every snapshot has, is what is sent. */
    private static String noise(int seed) {
        SplittableRandom digits = new SplittableRandom(31L * seed + 17);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 30; i++) {
            text.append(Long.toHexString(digits.nextLong()));
        }
        return text.toString();
    }

    @Test
    void oldRestorePointsGoBySchedule() throws Exception {
        keep = new KeepPolicy(1, 2);
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RocksTier tier = open(settings);
        MetricRegistry metrics = new MetricRegistry();
        Repository repository = new Repository(store, RepositoryRing.signing(null));
        try {
            Shipping shipping = shipping(tier, settings, metrics);
            for (int i = 0; i < 7; i++) {
                put(tier, "k", "v" + i);
                shipping.run();
                put(tier, "k", "w" + i);
                shipping.run();
                clock.advance(java.time.Duration.ofMillis(HOUR));
            }
        } finally {
            tier.close();
        }
        ChainState state = repository.chain(1).load().orElseThrow();
        assertThat(state.segments())
                .as("the newest, and the end of the day before")
                .hasSize(2);
        assertThat(metrics.counter("l3.backup.pruned").getCount())
                .isEqualTo(7 - state.segments().size());
        assertThat(new Anchor(anchors, RepositoryRing.signing(null))
                        .read(1)
                        .orElseThrow()
                        .number())
                .isGreaterThanOrEqualTo(state.head().number() - 1);
        assertThat(new Verifier(repository, 1).verify(blob -> true, read -> {}).problems())
                .isEmpty();
        restore(settings, temp.resolve("into"), null);
        assertThat(read(settings, temp.resolve("into"), List.of("k"))).containsEntry("k", "w6");
        Instant pruned = Instant.ofEpochMilli(state.segments().get(1).asOfMillis() - HOUR / 2);
        assertThatThrownBy(() -> restore(settings, temp.resolve("pruned"), pruned))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("no restore point holds");
    }

    @Test
    void unchangedFilesAreNotSentAgain() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RocksTier tier = open(settings);
        MetricRegistry metrics = new MetricRegistry();
        try {
            Shipping shipping = shipping(tier, settings, metrics);
            for (int i = 0; i < 2_000; i++) {
                put(tier, "k" + i, "value " + i + " " + noise(i));
            }
            shipping.run();
            long first = metrics.counter("l3.backup.bytes").getCount();
            for (int i = 0; i < 20; i++) {
                put(tier, "k" + i, "changed " + noise(-i));
            }
            shipping.snapshot();
            long second = metrics.counter("l3.backup.bytes").getCount() - first;
            assertThat(second).as("of %d bytes at first", first).isLessThan(first / 4);
        } finally {
            tier.close();
        }
    }

    @Test
    void anIdleNodeSaysSoOnceAMinuteAndEveryMomentOfItsRestCanBeRestored() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RocksTier tier = open(settings);
        MetricRegistry metrics = new MetricRegistry();
        Instant resting;
        try {
            Shipping shipping = shipping(tier, settings, metrics);
            put(tier, "k", "v");
            shipping.run();
            for (int i = 0; i < 60; i++) {
                clock.advance(java.time.Duration.ofSeconds(5));
                assertThat(tier.vault().store().probe()).isTrue();
                shipping.run();
                assertThat(shipping.throughMillis()).isEqualTo(clock.millis());
            }
            assertThat(metrics.counter("l3.backup.deltas").getCount()).isBetween(3L, 5L);
            clock.advance(java.time.Duration.ofSeconds(5));
            tier.vault().store().probe();
            clock.advance(java.time.Duration.ofSeconds(5));
            resting = Instant.ofEpochMilli(clock.millis());
            clock.advance(java.time.Duration.ofSeconds(1));
            shipping.snapshot();
            put(tier, "k", "later");
            shipping.run();
        } finally {
            tier.close();
        }
        restore(settings, temp.resolve("resting"), resting);
        assertThat(read(settings, temp.resolve("resting"), List.of("k"))).containsEntry("k", "v");
    }

    @Test
    @Tag("F61")
    void aRestoreRefusesAFolderThatIsInUseOrHoldsAnythingAndGoesOnWithItsOwn() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RocksTier tier = open(settings);
        try {
            put(tier, "a", "1");
            shipping(tier, settings, new MetricRegistry()).run();
            assertThatThrownBy(() -> restore(settings, settings.path(), null))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("is not empty");
        } finally {
            tier.close();
        }
        Path into = temp.resolve("into");
        restore(settings, into, null);
        assertThatThrownBy(() -> restore(settings, into, null)).isInstanceOf(SetupException.class);
        assertThat(read(settings, into, List.of("a"))).containsEntry("a", "1");
        assertThatThrownBy(() -> restore(settings, temp.resolve("old"), Instant.EPOCH))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("no restore point is as old as");
    }

    @Test
    void aCopyOfAFolderBecomesAWriterOfItsOwnAndBothAreMergedByVersion() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.withKeyFile(temp.resolve("l3"), temp.resolve("kek")));
        RocksTier tier = open(settings);
        put(tier, "both", "before");
        shipping(tier, settings, new MetricRegistry()).run();
        tier.close();
        Path copied = temp.resolve("copy");
        copy(settings.path(), copied);
        BackupStorageSettings other = settings.withPath(copied);
        RocksTier first = open(settings);
        RocksTier second = open(other);
        MetricRegistry metrics = new MetricRegistry();
        try {
            Shipping firsts = shipping(first, settings, metrics);
            Shipping seconds = shipping(second, other, metrics);
            put(first, "one", "1");
            put(first, "both", "older");
            firsts.run();
            put(second, "two", "2");
            put(second, "both", "newer");
            ChainState state = seconds.run();
            assertThat(state.writer()).isEqualTo(2);
            assertThat(metrics.counter("l3.backup.fenced").getCount()).isEqualTo(1);
        } finally {
            first.close();
            second.close();
        }
        Path into = temp.resolve("into");
        assertThat(restore(settings, into, null).writers()).isEqualTo(2);
        requireMerged(settings, into);
        requireItGoesOnWhenItWasKilledWhileItMovedFiles(settings, into);
        requireThatOthersChosenBeforeDoNotStay(settings);
    }

    private void requireMerged(BackupStorageSettings settings, Path folder) {
        assertThat(read(settings, folder, List.of("one", "two", "both")))
                .containsEntry("one", "1")
                .containsEntry("two", "2")
                .containsEntry("both", "newer");
    }

    /** Everything but the last step was done: the plan is there, the database and the keys are where they belong. */
    private void requireItGoesOnWhenItWasKilledWhileItMovedFiles(BackupStorageSettings settings, Path done)
            throws Exception {
        Path killed = temp.resolve("killed");
        assertThatThrownBy(() -> new Restore(store, settings, new TestContext(clock, settings), killed)
                        .run(null, entry -> true, true, bytes -> {
                            throw new IllegalStateException("killed");
                        }))
                .hasStackTraceContaining("killed");
        for (String writer : List.of("1", "2")) {
            Folders.delete(killed.resolve("restoring").resolve(writer));
        }
        copy(done.resolve("db"), killed.resolve("db"));
        Files.copy(done.resolve("KEYS"), killed.resolve("KEYS"));
        restore(settings, killed, null);
        requireMerged(settings, killed);
    }

    private void requireThatOthersChosenBeforeDoNotStay(BackupStorageSettings settings) throws Exception {
        Path chosen = temp.resolve("chosen");
        Predicate<Entry> unlucky = entry -> {
            if (text(entry).equals("2")) {
                throw new IllegalStateException("killed");
            }
            return true;
        };
        assertThatThrownBy(() -> restoreChosen(settings, chosen, unlucky)).hasStackTraceContaining("killed");
        restoreChosen(settings, chosen, entry -> text(entry).equals("2"));
        assertThat(read(settings, chosen, List.of("one", "two", "both"))).containsOnlyKeys("two");
    }

    private void restoreChosen(BackupStorageSettings settings, Path into, Predicate<Entry> wanted) throws Exception {
        new Restore(store, settings, new TestContext(clock, settings), into).run(null, wanted, false, done -> {});
    }

    private static String text(Entry entry) {
        return new String(entry.payload(), StandardCharsets.UTF_8);
    }

    @Test
    @Tag("F41")
    void whatALogLostAfterItWasShippedComesBackBesideWhatIsWrittenInstead() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RocksTier tier = open(settings);
        put(tier, "kept", "1");
        Shipping before = shipping(tier, settings, new MetricRegistry());
        before.run();
        Path synced = temp.resolve("synced");
        copy(settings.path(), synced);
        put(tier, "lost", "2");
        before.run();
        Files.copy(settings.path().resolve("BACKUP"), synced.resolve("BACKUP"), StandardCopyOption.REPLACE_EXISTING);
        tier.close();
        BackupStorageSettings left = settings.withPath(synced);
        RocksTier after = open(left);
        MetricRegistry metrics = new MetricRegistry();
        try {
            assertThat(Backups.read(after, "lost")).as("its end is gone").isNull();
            put(after, "instead", "3");
            put(after, "more", "4");
            assertThat(shipping(after, left, metrics).run().writer()).isEqualTo(2);
            put(after, "last", "5");
            shipping(after, left, metrics).run();
        } finally {
            after.close();
        }
        assertThat(metrics.counter("l3.backup.fenced").getCount()).isEqualTo(1);
        Path into = temp.resolve("into");
        restore(settings, into, null);
        assertThat(read(settings, into, java.util.List.of("kept", "lost", "instead", "more", "last")))
                .containsOnlyKeys("kept", "lost", "instead", "more", "last");
    }

    private static void copy(Path from, Path to) throws Exception {
        try (var tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }
}
