package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.Repository;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of several writers, brought together in one folder, in an empty one or in one that is there. */
class MergeIT {
    private static final CacheWatch.Limits SOON = new CacheWatch.Limits(500, 4 << 20, 8 << 10, 200, 1_000);

    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final BlobStore store = new HeapBucket(clock).open();
    private int counter;

    /** Opens faster than by a passphrase. */
    private BackupStorageSettings encrypted(Path folder) {
        return Backups.withKeyFile(folder, temp.resolve("kek"));
    }

    private RocksTier open(BackupStorageSettings settings) {
        return Backups.open(new TestContext(clock, settings, SOON));
    }

    private Shipping shipping(RocksTier tier, BackupStorageSettings settings, BlobStore to) throws Exception {
        Path folder = settings.path();
        KeyRing ring = settings.encryption() ? KeyRing.open(folder.resolve(Folder.KEYS), settings, clock) : null;
        return new Shipping(
                tier.store(),
                new StoreCheckpoint(tier.store(), folder.resolve("checkpoint"), clock),
                new Repository(to, RepositoryRing.signing(ring)),
                new FolderPlace(folder.resolve("BACKUP")),
                new RepositoryRing(folder.resolve(Folder.KEYS)),
                new Shipping.Schedule(5_000, Duration.ofHours(1).toMillis(), null),
                null,
                clock,
                new MetricRegistry());
    }

    /** Opens the folder, lets {@code work} be done, ships, closes. */
    private void ship(BackupStorageSettings settings, Consumer<RocksTier> work) throws Exception {
        RocksTier tier = open(settings);
        try {
            Shipping shipping = shipping(tier, settings, store);
            work.accept(tier);
            shipping.run();
        } finally {
            tier.close();
        }
    }

    private void put(RocksTier tier, Entry entry) {
        assertThat(Backups.await(tier.put(entry, WriteCondition.IF_NEWER))).isInstanceOf(StoreOutcome.Applied.class);
    }

    private Entry value(String key, String text) {
        clock.advance(Duration.ofMillis(10));
        return Backups.entry(key, clock.millis(), counter++ % 60_000, text);
    }

    private Restore restore(BackupStorageSettings settings, Path into) {
        return new Restore(store, settings, new TestContext(clock, settings), into);
    }

    private Restore.Report restoreAll(BackupStorageSettings settings, Path into) throws Exception {
        return restore(settings, into).run(null, entry -> true, true, done -> {});
    }

    private Map<String, String> read(BackupStorageSettings settings, Path folder) {
        RocksTier tier = open(settings.withPath(folder).withObjectStorage(null));
        try {
            Map<String, String> found = new TreeMap<>();
            tier.scan(entry -> {
                String before = found.put(
                        entry.key().cache() + " " + new String(entry.key().keyBytes()), Entries.text(entry));
                assertThat(before).as("each key once").isNull();
                return true;
            });
            for (Map.Entry<String, String> one : found.entrySet()) {
                String[] key = one.getKey().split(" ", 2);
                assertThat(Backups.await(tier.get(CacheKey.of(key[0], key[1]))))
                        .as(one.getKey())
                        .isInstanceOf(Lookup.Hit.class);
            }
            return found;
        } finally {
            tier.close();
        }
    }

    private static String document(String key, int i) {
        return "{\"kind\":\"a quote\",\"id\":\"" + key + "\",\"price\":" + i * 7919 % 100_000 + ",\"note\":\""
                + Long.toHexString(i * 0x9E3779B97F4A7C15L) + "\""
                + ",\"currency\":\"EUR\",\"venue\":\"an exchange of the world\",\"open\":" + (i % 2 == 0) + "}";
    }

    /**
     * Writers with keys and names of their own, and plain ones, by random: what each key is in the end is what had the newest version, whoever
     * wrote it, and what was invalidated last is gone.
     */
    @Test
    void writersWithKeysOfTheirOwnAreMergedByVersion() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("MergeIT: -Dterrace.seed=" + seed);
        for (boolean encrypted : new boolean[] {true, false}) {
            Random random = new Random(seed);
            Path home = temp.resolve("encrypted-" + encrypted);
            Map<String, String> model = new TreeMap<>();
            BackupStorageSettings last = null;
            for (int writer = 1; writer <= 3; writer++) {
                Path folder = home.resolve("l3-" + writer);
                BackupStorageSettings settings = Backups.shipped(encrypted ? encrypted(folder) : Backups.plain(folder));
                last = settings;
                RocksTier tier = open(settings);
                try {
                    TestedWrites writes = new TestedWrites(tier, random, model);
                    writes.some(700);
                    Shipping shipping = shipping(tier, settings, repository(encrypted));
                    shipping.run();
                    writes.some(200);
                    clock.advance(Duration.ofHours(2));
                    writes.some(100);
                    shipping.run();
                } finally {
                    tier.close();
                }
            }
            assertThat(last).isNotNull();
            Path into = home.resolve("into");
            Restore.Report report = new Restore(repository(encrypted), last, new TestContext(clock, last), into)
                    .run(null, entry -> true, true, done -> {});
            assertThat(report.writers()).isEqualTo(3);
            assertThat(report.unreadable()).isZero();
            assertThat(report.merged()).isPositive();
            assertThat(read(last, into)).isEqualTo(model);
        }
    }

    private final BlobStore plainStore = new HeapBucket(clock).open();

    private BlobStore repository(boolean encrypted) {
        return encrypted ? store : plainStore;
    }

    /** Writes by random, and remembers the newest of each key over all writers. */
    private final class TestedWrites {
        private final RocksTier tier;
        private final Random random;
        private final Map<String, String> model;

        TestedWrites(RocksTier tier, Random random, Map<String, String> model) {
            this.tier = tier;
            this.random = random;
            this.model = model;
        }

        void some(int many) {
            List<Entry> batch = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                clock.advance(Duration.ofMillis(10));
                String key = "k" + random.nextInt(900);
                CacheKey name = Backups.key(key);
                if (random.nextInt(8) == 0) {
                    batch.add(Entries.tombstone(
                            name, Entries.version(clock.millis(), 0), clock.millis(), Duration.ofDays(2)));
                    model.remove("backup " + key);
                } else {
                    String text = document(key, counter++);
                    batch.add(Backups.entry(key, clock.millis(), 0, text));
                    model.put("backup " + key, text);
                }
            }
            assertThat(Backups.await(tier.putAll(batch))).allMatch(StoreOutcome.Applied.class::isInstance);
        }
    }

    @Test
    @Tag("F61")
    void aFolderThatIsThereIsMergedIntoWhenThatIsAskedForAndKeepsWhatIsNewer() throws Exception {
        BackupStorageSettings old = Backups.shipped(encrypted(temp.resolve("l3")));
        ship(old, tier -> {
            put(tier, value("only-backup", "1"));
            put(tier, value("newer-here", "backup"));
            put(tier, value("gone-here", "backup"));
        });
        BackupStorageSettings settings = Backups.shipped(encrypted(temp.resolve("there")));
        Entry older = value("newer-in-backup", "here");
        RocksTier there = open(settings);
        try {
            put(there, older);
            put(there, value("newer-here", "here"));
            put(there, value("only-here", "2"));
            put(
                    there,
                    Entries.tombstone(
                            Backups.key("gone-here"),
                            Entries.version(clock.millis(), 9),
                            clock.millis(),
                            Duration.ofDays(9)));
            assertThatThrownBy(() ->
                            restore(settings, settings.path()).merging().run(null, entry -> true, true, done -> {}))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("in use");
        } finally {
            there.close();
        }
        ship(old, tier -> put(tier, value("newer-in-backup", "backup")));
        assertThatThrownBy(() -> restoreAll(settings, settings.path()))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("is not empty");
        Restore.Report report = restore(settings, settings.path()).merging().run(null, entry -> true, true, done -> {});
        assertThat(report.merged()).isEqualTo(2);
        Map<String, String> expected = Map.of(
                "backup only-backup", "1",
                "backup newer-here", "here",
                "backup newer-in-backup", "backup",
                "backup only-here", "2");
        assertThat(read(settings, settings.path())).isEqualTo(expected);
        assertThat(settings.path().resolve("restoring")).doesNotExist();
        assertThat(restore(settings, settings.path())
                        .merging()
                        .run(null, entry -> true, true, done -> {})
                        .merged())
                .as("once more changes nothing")
                .isZero();
    }

    @Test
    void whatWasMergedIsInTheNextBackupOfTheFolder() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        ship(settings, tier -> put(tier, value("a", "1")));
        BackupStorageSettings other = Backups.shipped(Backups.plain(temp.resolve("other")));
        BlobStore elsewhere = new HeapBucket(clock).open();
        RocksTier tier = open(other);
        try {
            put(tier, value("b", "2"));
            put(tier, value("c", "3"));
            shipping(tier, other, elsewhere).run();
        } finally {
            tier.close();
        }
        new Restore(elsewhere, settings, new TestContext(clock, settings), settings.path())
                .merging()
                .run(null, entry -> true, true, done -> {});
        ship(settings, after -> put(after, value("d", "4")));
        restoreAll(settings, temp.resolve("into"));
        assertThat(read(settings, temp.resolve("into")))
                .isEqualTo(Map.of("backup a", "1", "backup b", "2", "backup c", "3", "backup d", "4"));
    }

    @Test
    void aChosenCacheComesWithTheMarkersThatHideAndWithoutWhatHasExpired() throws Exception {
        BackupStorageSettings settings = Backups.shipped(encrypted(temp.resolve("l3")));
        CacheKey marker = CacheKey.of("terrace.markers", "backup");
        ship(settings, tier -> {
            List<Entry> batch = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                batch.add(value("k" + i, document("k" + i, i)));
            }
            assertThat(Backups.await(tier.putAll(batch))).allMatch(StoreOutcome.Applied.class::isInstance);
            awaitDictionary(tier);
            for (int i = 0; i < 20; i++) {
                put(tier, value("with-dictionary" + i, document("k" + i, i)));
            }
            long now = clock.millis();
            put(tier, Entries.value(Backups.key("short"), Entries.version(now, 1), now, Duration.ofHours(1), "x"));
            put(tier, Entries.value(CacheKey.of("other", "o"), Entries.version(now, 2), now, Backups.TTL, "x"));
            put(tier, Entries.value(marker, Entries.version(now, 3), now, Backups.TTL, "cleared"));
        });
        clock.advance(Duration.ofHours(2));
        Path into = temp.resolve("into");
        Predicate<Entry> wanted = entry -> entry.key().cache().equals("backup");
        Restore.Report report = restore(settings, into).run(null, wanted, false, done -> {});
        assertThat(report.expired()).isEqualTo(1);
        assertThat(report.merged()).isEqualTo(521);
        Map<String, String> found = read(settings, into);
        assertThat(found).hasSize(521).containsKey("terrace.markers backup").doesNotContainKey("other o");
        assertThat(found.get("backup with-dictionary7")).isEqualTo(document("k7", 7));
        RocksTier restored = open(settings.withPath(into).withObjectStorage(null));
        try {
            byte[] hashed = KeyHash.keyed(KeyRing.open(into.resolve(Folder.KEYS), settings, clock)
                            .indexKey())
                    .of(marker);
            assertThat(restored.store().sides().get(Sides.Side.KEPT, hashed))
                    .as("carried on beyond the retention")
                    .isNotNull();
        } catch (org.rocksdb.RocksDBException | PartitionedStore.ClosedStore e) {
            throw new AssertionError(e);
        } finally {
            restored.close();
        }
    }

    private static void awaitDictionary(RocksTier tier) {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> !tier.dictionaries().all().isEmpty());
    }

    @Test
    @Tag("F78")
    void recordsOfFormatOneAreMergedAsTheyAre() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        Entry old = value("old", "of format 1");
        ship(settings, tier -> {
            try {
                tier.store()
                        .write(List.of(new PartitionedStore.Stored(
                                KeyHash.plain().of(old.key()), FormatOneIT.formatOne(old, true))));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        ship(Backups.shipped(Backups.plain(temp.resolve("l3b"))), tier -> {
            for (int i = 0; i < 10; i++) {
                put(tier, value("new" + i, "of format 2, and more of it"));
            }
        });
        restoreAll(settings, temp.resolve("into"));
        assertThat(read(settings, temp.resolve("into"))).hasSize(11).containsEntry("backup old", "of format 1");
    }

    /** Its partitions ended, and so did its sub-keys, longer ago than records are kept. */
    @Test
    void aBackupThatIsOlderThanTheRetentionIsKeptForOneMore() throws Exception {
        BackupStorageSettings settings = Backups.shipped(encrypted(temp.resolve("l3")));
        ship(settings, tier -> put(tier, value("a", "1")));
        clock.advance(Duration.ofHours(4));
        ship(settings, tier -> put(tier, value("b", "2")));
        clock.advance(Duration.ofHours(4));
        ship(settings, tier -> put(tier, value("c", "3")));
        clock.advance(Duration.ofDays(20));
        restoreAll(settings, temp.resolve("into"));
        assertThat(read(settings, temp.resolve("into"))).hasSize(3);
        assertThat(read(settings, temp.resolve("into"))).as("and opened again").hasSize(3);
        RocksTier tier = open(settings.withPath(temp.resolve("into")));
        try {
            assertThat(tier.store()
                            .hasExpired(clock.millis() + Duration.ofHours(23).toMillis()))
                    .isFalse();
            assertThat(tier.store()
                            .hasExpired(clock.millis() + Duration.ofHours(25).toMillis()))
                    .isTrue();
        } finally {
            tier.close();
        }
    }
}
