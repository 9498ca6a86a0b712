package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.Anchor;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.Problem;
import dev.terrace.tier.backup.repo.PrunePlan;
import dev.terrace.tier.backup.repo.Pruner;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.SstFileReaderIterator;

/**
 * Single bits are flipped and ends cut off, 20,000 and 2,000 times in all, in everything that L3 and its backups are made of. None goes
 * unseen: it is refused, it is a miss that is counted, or verify names the object; or what is read is right all the same. Replayed with
 * {@code -Dterrace.seed}, {@code -Dterrace.backup.flips=200000} flips more.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES) // However many rounds.
class CorruptionIT {
    private static final int FLIPS = Integer.getInteger("terrace.backup.flips", 20_000);
    private static final long KEEP = Duration.ofDays(1).toMillis();

    @TempDir(factory = MemoryDisk.class)
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final Map<CacheKey, Entry> held = new TreeMap<>(Comparator.comparing(CacheKey::toString));
    private SplittableRandom random = new SplittableRandom();
    private BackupStorageSettings settings = BackupStorageSettings.defaults();
    private int counter;

    @BeforeEach
    void seed() throws IOException {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("CorruptionIT: -Dterrace.seed=" + seed);
        random = new SplittableRandom(seed);
        Path key = Files.writeString(temp.resolve("kek"), "5c".repeat(32));
        settings = Backups.shipped(Backups.withPassphrase(temp.resolve("l3")))
                .withKey(null, "terrace", null, "file", key.toString());
    }

    /** The given number of flips in a thousand of all, and a tenth as many cuts. */
    private static int share(int permille) {
        return FLIPS / 1000 * permille;
    }

    private byte[] damaged(byte[] good, boolean cut) {
        if (cut) {
            return Arrays.copyOf(good, random.nextInt(good.length));
        }
        byte[] bad = good.clone();
        bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
        return bad;
    }

    private interface Case {
        void with(boolean cut) throws Exception;
    }

    private void times(String what, int permille, Case one) throws Exception {
        int flips = share(permille);
        long begin = System.nanoTime();
        for (int i = 0; i < flips; i++) {
            one.with(false);
        }
        for (int i = 0; i < flips / 10; i++) {
            one.with(true);
        }
        System.out.printf(
                "CorruptionIT: %s, flips %d, cuts %d, %d ms%n",
                what, flips, flips / 10, (System.nanoTime() - begin) / 1_000_000);
    }

    private void put(RocksTier tier, int many) {
        for (int i = 0; i < many; i++) {
            clock.advance(Duration.ofMillis(1));
            String text =
                    "{\"price\":" + random.nextInt(1000) + ",\"note\":\"" + Long.toHexString(random.nextLong()) + "\"}";
            Entry entry = Backups.entry("k" + counter % 60, clock.millis(), counter++, text);
            Backups.store(tier, entry);
            held.put(entry.key(), entry);
        }
    }

    @Test
    @Tag("F58")
    void recordsDictionariesAndKeyRings() throws Exception {
        KeyRing ring = ring();
        byte[] id = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6};
        Entry entry = Backups.entry("ACME", clock.millis(), 7, "abcdefgh".repeat(9) + "42");
        Dictionary dictionary = new Dictionary(id, "backup", ring.activeDataKey(), 1, 2, 3, entry.payload());
        Records records = new Records(new FixedDictionary(dictionary), ring, KEEP);
        byte[] hash = KeyHash.keyed(ring.indexKey()).of(entry.key());
        byte[] record = records.seal(hash, entry);
        byte[] without = new Records(true, ring, KEEP).seal(hash, entry);
        assertThat(records.open(hash, record)).isEqualTo(entry);
        times("records", 385, cut -> {
            byte[] good = random.nextBoolean() ? record : without;
            assertThat(records.read(hash, damaged(good, cut))).isInstanceOf(Records.Flaw.class);
        });
        byte[] sealed = DictionaryRecords.seal(dictionary, ring);
        times(
                "dictionaries",
                150,
                cut -> assertThat(DictionaryRecords.open(id, damaged(sealed, cut), ring))
                        .isNull());
        byte[] keys = Files.readAllBytes(temp.resolve("KEYS"));
        Path name = Path.of("keys/000001");
        times("key rings", 150, cut -> {
            byte[] bad = damaged(keys, cut);
            if (!cut && random.nextBoolean()) { // By somebody who knows how to count a checksum.
                int end = bad.length - LockedKeys.CRC_BYTES;
                ByteBuffer.wrap(bad).putInt(end, LockedKeys.crc(bad, end));
                if (Arrays.equals(bad, keys)) {
                    return; // The flip was in the checksum.
                }
            }
            try {
                KeyRing.open(bad, name, settings, clock);
                throw new AssertionError("a damaged key ring opens");
            } catch (SetupException e) {
                // What the key service could not unwrap is named by the service and its key.
                assertThat(e.getMessage()).containsAnyOf("keys/000001", "key service");
            }
        });
    }

    private KeyRing ring() throws IOException {
        Path file = temp.resolve("KEYS");
        KeyRing.create(file, settings, clock);
        return KeyRing.open(file, settings, clock);
    }

    @Test
    @Tag("F43")
    void tableFiles() throws Exception {
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        put(tier, 120);
        tier.close();
        Backups.open(new TestContext(clock, settings)).close(); // The log becomes a table file.
        byte[] good = Files.readAllBytes(largest(settings.path().resolve(Folder.DATABASE), ".sst"));
        Path file = temp.resolve("damaged.sst");
        // What was read of one file must not be taken for what is in the next.
        BlockBasedTableConfig uncached = new BlockBasedTableConfig().setNoBlockCache(true);
        try (Options options = new Options().setTableFormatConfig(uncached);
                ReadOptions reading = new ReadOptions()) {
            Files.write(file, good);
            Map<String, String> right = table(options, reading, file);
            assertThat(right).hasSize(60);
            int[] harmless = new int[1];
            times("table files", 250, cut -> {
                Files.write(file, damaged(good, cut));
                try {
                    Map<String, String> found = table(options, reading, file);
                    assertThat(found).isEqualTo(right);
                    harmless[0]++;
                } catch (RocksDBException e) {
                    assertThat(Opening.isCorruption(e)
                                    || String.valueOf(e.getMessage()).contains("IO error"))
                            .as(e.getMessage())
                            .isTrue();
                }
            });
            System.out.println("CorruptionIT: table files read right all the same: " + harmless[0]);
        }
    }

    private static Map<String, String> table(Options options, ReadOptions reading, Path file) throws RocksDBException {
        Map<String, String> found = new TreeMap<>();
        try (SstFileReader reader = new SstFileReader(options)) {
            reader.open(file.toString());
            try (SstFileReaderIterator all = reader.newIterator(reading)) {
                for (all.seekToFirst(); all.isValid(); all.next()) {
                    found.put(Arrays.toString(all.key()), Arrays.toString(all.value()));
                }
                all.status();
            }
        }
        return found;
    }

    private static Path largest(Path folder, String suffix) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(suffix))
                    .max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length()))
                    .orElseThrow();
        }
    }

    @Test
    @Tag("F41")
    @Tag("F42")
    @Tag("F43")
    void wholeFoldersWithLogsAndWhatNamesTheFiles() throws Exception {
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        put(tier, 60);
        tier.close();
        tier = Backups.open(new TestContext(clock, settings)); // Half of it is in a table file now.
        put(tier, 40);
        tier.close();
        Path good = settings.path();
        List<Path> files;
        try (Stream<Path> all = Files.walk(good)) {
            files = all.filter(Files::isRegularFile)
                    .filter(file -> file.toFile().length() > 0)
                    .filter(file -> !file.endsWith(Folder.OWNER) && !file.endsWith("LOG"))
                    .toList();
        }
        List<Path> logs =
                files.stream().filter(file -> file.toString().endsWith(".log")).toList();
        int[] seen = new int[3];
        times("whole folders", 5, cut -> {
            Path folder = temp.resolve("folder");
            Folders.delete(folder);
            copy(good, folder);
            List<Path> from = random.nextInt(3) > 0 ? logs : files;
            Path victim = folder.resolve(
                    good.relativize(from.get(random.nextInt(from.size()))).toString());
            Files.write(victim, damaged(Files.readAllBytes(victim), cut));
            try {
                seen[open(folder, victim.getFileName() + (cut ? " cut" : " flipped"))]++;
            } catch (SetupException e) {
                assertThat(e).hasMessageContaining(folder.toString());
                seen[2]++;
            }
        });
        System.out.printf(
                "CorruptionIT: whole folders right %d, loss counted %d, refused %d%n", seen[0], seen[1], seen[2]);
    }

    /** 0 when all is there, 1 when something is missing and that is said. */
    private int open(Path folder, String what) throws Exception {
        TestContext context = new TestContext(clock, settings.withPath(folder).withObjectStorage(null));
        RocksTier tier = Backups.open(context);
        try {
            int missing = 0;
            for (Entry wanted : held.values()) {
                if (Backups.await(tier.get(wanted.key())) instanceof Lookup.Hit hit
                        && hit.entry().equals(wanted)) {
                    continue;
                }
                missing++;
            }
            long told = 0;
            for (String counter : List.of("l3.salvaged", "l3.lost_estimate", "l3.corrupt")) {
                told += context.metrics().counter(counter).getCount();
            }
            assertThat(missing == 0 || told > 0)
                    .as("%s: %d entries are missing or old, nothing is said", what, missing)
                    .isTrue();
            return missing == 0 ? 0 : 1;
        } finally {
            tier.close();
        }
    }

    /** RocksDB never comes back from reading one of them. */
    @Test
    @Tag("F42")
    @Tag("F43")
    void theOneBitThatRocksDbHangsOn() throws Exception {
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        put(tier, 40);
        tier.close();
        Path good = settings.path();
        Path log = good.relativize(largest(good.resolve(Folder.DATABASE), ".log"));
        Path manifest;
        try (Stream<Path> all = Files.list(good.resolve(Folder.DATABASE))) {
            manifest = good.relativize(
                    all.filter(file -> file.getFileName().toString().startsWith("MANIFEST-"))
                            .findFirst()
                            .orElseThrow());
        }
        for (int record = 0; record < 6; record++) {
            for (boolean alsoContent : new boolean[] {false, true}) {
                Path folder = temp.resolve("log-" + record + alsoContent);
                copy(good, folder);
                makeRecycled(folder.resolve(log.toString()), record, alsoContent);
                assertThat(open(folder, "kind of record " + record)).isEqualTo(alsoContent ? 1 : 0);
            }
        }
        Path folder = temp.resolve("manifest");
        copy(good, folder);
        makeRecycled(folder.resolve(manifest.toString()), 1, false);
        assertThatThrownBy(() -> open(folder, "manifest"))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining(folder.toString());
    }

    /** RocksDB takes a manifest whose end is missing, or seems to be, for one that a crash cut off, and deletes the files that it does not name. */
    @Test
    @Tag("F43")
    void whatAManifestLosesAtItsEndIsSaid() throws Exception {
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        put(tier, 60);
        tier.close();
        tier = Backups.open(new TestContext(clock, settings)); // What was in the log is named by the manifest now.
        put(tier, 40);
        tier.close();
        Path good = settings.path();
        Path manifest;
        try (Stream<Path> all = Files.list(good.resolve(Folder.DATABASE))) {
            manifest = good.relativize(
                    all.filter(file -> file.getFileName().toString().startsWith("MANIFEST-"))
                            .findFirst()
                            .orElseThrow());
        }
        byte[] bytes = Files.readAllBytes(good.resolve(manifest.toString()));
        for (int cut = 3; cut < bytes.length; cut += 13) {
            openWith(good, manifest, Arrays.copyOf(bytes, cut), "cut at " + cut);
        }
        ByteBuffer lengths = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.length; at += 7 + RecycledRecords.length(lengths, at)) {
            for (int bit = 0; bit < Short.SIZE; bit++) {
                byte[] bad = bytes.clone();
                bad[at + 4 + bit / 8] ^= (byte) (1 << (bit % 8));
                openWith(good, manifest, bad, "length at " + at + ", bit " + bit);
            }
        }
    }

    private void openWith(Path good, Path file, byte[] bad, String what) throws Exception {
        Path folder = temp.resolve("folder");
        Folders.delete(folder);
        copy(good, folder);
        Files.write(folder.resolve(file.toString()), bad);
        try {
            open(folder, what);
        } catch (SetupException e) {
            assertThat(e).hasMessageContaining(folder.toString());
        }
    }

    private static void makeRecycled(Path file, int record, boolean alsoContent) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int at = 0;
        for (int i = 0; i < record; i++) {
            at += 7 + (bytes[at + 4] & 0xFF) + ((bytes[at + 5] & 0xFF) << 8);
        }
        bytes[at + 6] ^= 4;
        bytes[at + 7 + 12] ^= (byte) (alsoContent ? 1 : 0);
        Files.write(file, bytes);
        assertThat(RecycledRecords.in(file)).containsExactly(at + 6L);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }

    @Test
    @Tag("F51")
    @Tag("F57")
    void everythingInARepository() throws Exception {
        HeapBucket bucket = new HeapBucket(clock);
        HeapBucket second = new HeapBucket(clock);
        ship(bucket, second);
        List<String> needed = new ArrayList<>(bucket.names());
        List<String> blobs = new ArrayList<>();
        assertThat(verify(bucket, blob -> blobs.add(blob.name()))).isEmpty();
        needed.removeIf(name -> (name.contains("/data/") || name.contains("/delta/")) && !blobs.contains(name)
                || bytes(bucket, name).length == 0);
        assertThat(needed).anyMatch(name -> name.startsWith("keys/")).anyMatch(name -> name.contains("/boundary/"));
        times("repository", 50, cut -> {
            String name = needed.get(random.nextInt(needed.size()));
            byte[] good = bytes(bucket, name);
            bucket.plant(name, damaged(good, cut));
            List<Problem> problems;
            try {
                problems = verify(bucket, blob -> blob.name().equals(name));
            } catch (SetupException e) {
                assertThat(e).hasMessageContaining(name);
                problems = null;
            }
            if (problems != null) {
                assertThat(problems).as(name).extracting(Problem::blob).contains(name);
            }
            bucket.plant(name, good);
        });
        Anchor anchor = new Anchor(second.open(), new BackupRepository(bucket.open(), settings, clock).keysOf(1));
        assertThat(anchor.read(1)).isPresent();
        byte[] good = bytes(second, "anchor/000001");
        times("anchors", 10, cut -> {
            second.plant("anchor/000001", damaged(good, cut));
            try {
                anchor.read(1);
                throw new AssertionError("a damaged anchor is believed");
            } catch (DamagedException e) {
                assertThat(e.blob()).isEqualTo("anchor/000001");
            }
        });
        assertThat(verify(bucket, blob -> true)).isEmpty();
    }

    private static byte[] bytes(HeapBucket bucket, String name) {
        byte[] bytes = bucket.bytes(name);
        assertThat(bytes).as(name).isNotNull();
        return bytes == null ? new byte[0] : bytes;
    }

    private List<Problem> verify(HeapBucket bucket, Predicate<BlobRef> sampled) throws BlobException, IOException {
        Repository of = new BackupRepository(bucket.open(), settings, clock).of(1);
        return new Verifier(of, 1).verify(sampled, read -> {}).problems();
    }

    /** Three restore points, one of them pruned; deltas after each. */
    private void ship(HeapBucket bucket, HeapBucket second) throws Exception {
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        try {
            KeyRing ring = KeyRing.open(settings.path().resolve(Folder.KEYS), settings, clock);
            Repository repository = new Repository(bucket.open(), RepositoryRing.signing(ring));
            Shipping shipping = new Shipping(
                    tier.vault().store(),
                    new StoreCheckpoint(tier.vault().store(), settings.path().resolve("checkpoint"), clock),
                    repository,
                    new FolderPlace(settings.path().resolve("BACKUP")),
                    new RepositoryRing(settings.path().resolve(Folder.KEYS)),
                    new Shipping.Schedule(5_000, Long.MAX_VALUE, null),
                    new Anchor(second.open(), RepositoryRing.signing(ring)),
                    clock,
                    new MetricRegistry());
            for (int point = 0; point < 3; point++) {
                put(tier, 30);
                shipping.snapshot();
                put(tier, 10);
                shipping.run();
                clock.advance(Duration.ofHours(2));
                new Pruner(repository, repository.chain(1), clock)
                        .execute(PrunePlan.of(repository.chain(1).load().orElseThrow(), new KeepPolicy(2, 0)), 0);
            }
            put(tier, 5);
            shipping.run();
        } finally {
            tier.close();
        }
    }
}
