package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

class RecordsTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final long KEEP = 1_000_000;
    private static final Entry SAMPLE = entry("quotes", "ACME", 0x1234, "forty-two");

    private static final Entry LONG_SAMPLE = entry("quotes", "ACME", 9, "a quote, and another quote; ".repeat(9));

    @TempDir
    Path temp;

    private static Entry entry(String cache, String key, int counter, String value) {
        return new Entry(
                CacheKey.of(cache, key),
                EntryKind.VALUE,
                Version.of(1_700_000_000_000L, counter, 7),
                1_700_000_000_000L,
                1_700_000_060_000L,
                1_700_000_120_000L,
                List.of("t"),
                value.getBytes(StandardCharsets.UTF_8));
    }

    private KeyRing ring() throws IOException {
        Path file = temp.resolve("KEYS");
        BackupStorageSettings settings = Backups.withKeyFile(temp, temp.resolve("kek"));
        if (!Files.exists(file)) {
            KeyRing.create(file, settings, new ManualClock(0));
        }
        return KeyRing.open(file, settings, new ManualClock(0));
    }

    @Test
    void aPlainRecordHasExactlyTheseBytes() {
        Records records = new Records(false, null, KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        assertThat(HEX.formatHex(hash)).isEqualTo("46d7492b3f3456734b0b8bb7706deef3");
        String record = "20" // format 2, no flags
                + "018bcfe56800" // version, milliseconds
                + "b424" // version, counter
                + "20" // a value, with tags
                + "0000000000000007" // version, node
                + "0671756f746573" // cache name
                + "010174" // one tag
                + "00" // created with the version
                + "c0a907" // fresh for a minute
                + "e0d403" // stale for another
                + "0441434d45" // key
                + "666f7274792d74776f"; // payload
        CRC32C crc = new CRC32C();
        crc.update(HEX.parseHex(record));
        crc.update(hash);
        assertThat(HEX.formatHex(records.seal(hash, SAMPLE))).isEqualTo(record + HEX.toHexDigits((int) crc.getValue()));
    }

    /** Bytes of the first build that wrote format 2: its key file, a hash, two records, and a dictionary with a record made with it. */
    @Test
    void aRecordOfFormatTwoIsReadForEver() throws IOException {
        Path sample = Path.of("src", "test", "resources", "format-2");
        Path keys = Files.copy(sample.resolve("KEYS"), temp.resolve("KEYS-2"));
        KeyRing ring = KeyRing.open(keys, Backups.withPassphrase(temp), new ManualClock(0));
        byte[] hash = KeyHash.keyed(ring.indexKey()).of(SAMPLE.key());
        List<String> lines = Files.readAllLines(sample.resolve("records.hex"));
        assertThat(HEX.formatHex(hash)).isEqualTo(lines.get(0));
        Dictionary dictionary = DictionaryRecords.open(HEX.parseHex(lines.get(3)), HEX.parseHex(lines.get(4)), ring);
        assertThat(dictionary).isNotNull();
        Records records = new Records(new FixedDictionary(dictionary), ring, KEEP);
        assertThat(records.open(hash, HEX.parseHex(lines.get(1)))).isEqualTo(SAMPLE);
        assertThat(records.open(hash, HEX.parseHex(lines.get(2)))).isEqualTo(LONG_SAMPLE);
        assertThat(records.open(hash, HEX.parseHex(lines.get(5)))).isEqualTo(LONG_SAMPLE);
        assertThat(lines.get(5).length()).isLessThan(lines.get(2).length());
        assertThat(new Records(true, ring, KEEP).read(hash, HEX.parseHex(lines.get(5))))
                .isEqualTo(Records.Flaw.UNKNOWN_DICTIONARY);
    }

    /** Run by hand once, when the format was new: {@code -Dterrace.sample=FOLDER} writes what the test above reads. */
    @Test
    @EnabledIfSystemProperty(named = "terrace.sample", matches = ".+")
    void writesTheSample() throws IOException {
        Path folder = Path.of(System.getProperty("terrace.sample"));
        Files.createDirectories(folder);
        Path file = folder.resolve("KEYS");
        KeyRing.create(file, Backups.withPassphrase(temp), new ManualClock(0));
        KeyRing ring = KeyRing.open(file, Backups.withPassphrase(temp), new ManualClock(0));
        byte[] hash = KeyHash.keyed(ring.indexKey()).of(SAMPLE.key());
        Dictionary dictionary = new Dictionary(
                HEX.parseHex("00112233445566778899aabbccddeeff"),
                "quotes",
                ring.activeDataKey(),
                3,
                1_700_000_000_000L,
                250,
                LONG_SAMPLE.payload());
        Records without = new Records(true, ring, KEEP);
        Records with = new Records(new FixedDictionary(dictionary), ring, KEEP);
        List<byte[]> lines = List.of(
                hash,
                without.seal(hash, SAMPLE),
                without.seal(hash, LONG_SAMPLE),
                dictionary.id(),
                DictionaryRecords.seal(dictionary, ring),
                with.seal(hash, LONG_SAMPLE));
        Files.write(
                folder.resolve("records.hex"),
                lines.stream().map(HEX::formatHex).toList());
    }

    /** Bytes of a former build: a key file, a hash and a record in {@code src/test/resources/format-1}. */
    @Test
    void aSealedRecordOfAFormerBuildIsRead() throws IOException {
        Path sample = Path.of("src", "test", "resources", "format-1");
        Path keys = Files.copy(sample.resolve("KEYS"), temp.resolve("KEYS-1"));
        KeyRing ring = KeyRing.open(keys, Backups.withPassphrase(temp), new ManualClock(0));
        byte[] hash = KeyHash.keyed(ring.indexKey()).of(SAMPLE.key());
        List<String> lines = Files.readAllLines(sample.resolve("records.hex"));
        assertThat(HEX.formatHex(hash)).isEqualTo(lines.get(0));
        Records records = new Records(true, ring, KEEP);
        assertThat(records.open(hash, HEX.parseHex(lines.get(1)))).isEqualTo(SAMPLE);
        assertThat(records.open(hash, HEX.parseHex(lines.get(2))))
                .isEqualTo(entry("quotes", "ACME", 9, "ab".repeat(99)));
    }

    @Test
    void everyFormOpensToWhatWasSealed() throws IOException {
        KeyRing ring = ring();
        for (KeyRing keys : new KeyRing[] {null, ring}) {
            for (boolean compression : new boolean[] {false, true}) {
                Records records = new Records(compression, keys, KEEP);
                for (int size : new int[] {0, 1, 100, 255, 256, 5_000, 65_700, 65_900, 131_000, 132_000, 300_000}) {
                    Entry entry = entry("c", "k" + size, size & 0xFFFF, "x".repeat(size));
                    byte[] hash = KeyHash.plain().of(entry.key());
                    byte[] sealed = records.seal(hash, entry);
                    assertThat(records.open(hash, sealed)).isEqualTo(entry);
                    if (compression && size == 5_000) {
                        assertThat(sealed.length).isLessThan(100);
                    }
                }
            }
        }
    }

    @Test
    @Tag("F58")
    void aRecordMovedToAnotherKeyOrCacheOrGivenAnotherVersionDoesNotOpen() throws IOException {
        Records records = new Records(true, ring(), KEEP);
        KeyHash hashes = KeyHash.keyed(ring().indexKey());
        byte[] own = hashes.of(SAMPLE.key());
        byte[] sealed = records.seal(own, SAMPLE);
        assertThat(records.open(own, sealed)).isEqualTo(SAMPLE);
        assertThat(records.open(hashes.of(CacheKey.of("quotes", "OTHER")), sealed))
                .isNull();
        assertThat(records.open(hashes.of(CacheKey.of("other", "ACME")), sealed))
                .isNull();
        for (int at = 0; at < sealed.length; at++) {
            byte[] changed = sealed.clone();
            changed[at] ^= 1;
            assertThat(records.open(own, changed)).as("byte %d", at).isNull();
        }
    }

    @Test
    void cacheNameAndKeyAreHashedApart() {
        KeyHash hashes = KeyHash.plain();
        assertThat(hashes.of(CacheKey.of("ab", "c"))).isNotEqualTo(hashes.of(CacheKey.of("a", "bc")));
    }

    /** A plain record, checksum and all, of somebody who wants harm done. */
    private static byte[] crafted(byte[] bound, int flags, long declared, byte[] body) {
        byte[] header = new byte[RecordHeader.MOST_BYTES];
        int length = new RecordHeader(flags, 0, 0, declared, 0, 0, 0).write(header);
        ByteBuffer record = ByteBuffer.allocate(length + body.length + 4)
                .put(header, 0, length)
                .put(body);
        CRC32C crc = new CRC32C();
        crc.update(record.array(), 0, length + body.length);
        crc.update(bound);
        return record.putInt((int) crc.getValue()).array();
    }

    @Test
    @Tag("F60")
    void aFrameThatClaimsMoreThanAllowedIsRefusedBeforeAnythingIsAllocated() {
        Records records = new Records(true, null, KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        byte[] whole = Zstd.compress(new byte[200 << 20]);
        byte[] bomb = Arrays.copyOfRange(whole, 4, whole.length); // Without the magic number.
        assertThat(bomb.length).isLessThan(40_000);
        long before = allocated();
        for (long declared : new long[] {200 << 20, 1_000, 64 << 20, Integer.MAX_VALUE, 1L << 40, -1}) {
            for (int flags : new int[] {RecordHeader.COMPRESSED, RecordHeader.COMPRESSED | RecordHeader.FRAME}) {
                byte[] record = crafted(hash, flags, declared, bomb);
                assertThat(records.open(hash, record))
                        .as("declared %d", declared)
                        .isNull();
            }
        }
        assertThat(allocated() - before).isLessThan(8 << 20);
        for (int declared : new int[] {0, 1, 1_000, 131_072, 131_073}) {
            for (int flags : new int[] {RecordHeader.COMPRESSED, RecordHeader.COMPRESSED | RecordHeader.FRAME}) {
                assertThat(records.open(hash, crafted(hash, flags, declared, new byte[] {1, 2, 3})))
                        .isNull();
                assertThat(records.open(hash, crafted(hash, flags, declared, new byte[0])))
                        .isNull();
            }
        }
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    @Test
    void formatsOfLaterBuildsAreToldFromDamage() {
        Records records = new Records(true, null, KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        byte[] record = records.seal(hash, SAMPLE);
        record[0] = 0x30;
        assertThat(records.read(hash, record)).isEqualTo(Records.Flaw.UNKNOWN_FORMAT);
        record[0] = 0x10;
        assertThat(records.read(hash, record)).isEqualTo(Records.Flaw.DAMAGED);
        assertThat(records.read(hash, new byte[0])).isEqualTo(Records.Flaw.DAMAGED);
    }

    @Test
    void theClockCanBeReadWithoutOpening() throws IOException {
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        for (KeyRing keys : new KeyRing[] {null, ring()}) {
            byte[] record = new Records(true, keys, KEEP).seal(hash, LONG_SAMPLE);
            byte[] beginning = Arrays.copyOf(record, RecordHeader.MOST_BYTES);
            assertThat(Records.peekClock(beginning, beginning.length))
                    .isEqualTo(LONG_SAMPLE.version().clock());
            assertThat(Records.peekClock(beginning, 0)).isNull();
        }
    }

    /** Over records with and without a dictionary, and dictionaries: flipped bits, cut ends, bytes at random. */
    @Test
    @Tag("F58")
    void nothingThatWasChangedOpensAndNothingThrows() throws IOException {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        KeyRing ring = ring();
        for (KeyRing keys : new KeyRing[] {null, ring}) {
            byte[] id = new byte[Dictionary.ID_BYTES];
            random.nextBytes(id);
            Dictionary dictionary = new Dictionary(
                    id, "quotes", keys == null ? 0 : keys.activeDataKey(), 1, 2, 3, LONG_SAMPLE.payload());
            byte[] sealedDictionary = DictionaryRecords.seal(dictionary, keys);
            assertThat(DictionaryRecords.open(id, sealedDictionary, keys)).isNotNull();
            Records with = new Records(new FixedDictionary(dictionary), keys, KEEP);
            Records without = new Records(true, keys, KEEP);
            List<byte[]> sealed = List.of(with.seal(hash, LONG_SAMPLE), without.seal(hash, LONG_SAMPLE));
            for (byte[] good : sealed) {
                assertThat(with.open(hash, good)).isEqualTo(LONG_SAMPLE);
                for (int length = 0; length < good.length; length++) {
                    assertThat(with.open(hash, Arrays.copyOf(good, length))).isNull();
                }
            }
            for (int length = 0; length < sealedDictionary.length; length++) {
                assertThat(DictionaryRecords.open(id, Arrays.copyOf(sealedDictionary, length), keys))
                        .isNull();
            }
            for (int round = 0; round < 5_000; round++) {
                byte[] flipped = sealed.get(round & 1).clone();
                flip(flipped, random);
                assertThat(with.open(hash, flipped)).isNull();
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                if (noise.length > 0) {
                    noise[0] = (byte) (round % 3 == 0 ? 1 : 0x20 | noise[0] & 0xF);
                }
                assertThat(with.open(hash, noise)).isNull();
                byte[] other = sealedDictionary.clone();
                flip(other, random);
                assertThat(DictionaryRecords.open(id, other, keys)).isNull();
            }
            byte[] otherId = id.clone();
            otherId[15] ^= 1;
            assertThat(DictionaryRecords.open(otherId, sealedDictionary, keys)).isNull();
        }
    }

    private static void flip(byte[] bytes, SplittableRandom random) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }

    @Test
    void whatAThreadSharesIsSealedWithNoncesOfItsOwn() throws Exception {
        Records records = new Records(true, ring(), KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        Set<String> used = ConcurrentHashMap.newKeySet();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 500; i++) {
                    RecordHeader header = RecordHeader.read(records.seal(hash, SAMPLE), RecordHeader.MOST_BYTES);
                    if (header != null) {
                        used.add(header.keyReference() + "/" + header.counter());
                    }
                }
                Records.releaseThread();
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(used).hasSize(2_000);
    }

    @Test
    void noNonceIsUsedTwiceByOneSubKeyAndEachOpenHasItsOwn() throws IOException {
        Set<String> used = new HashSet<>();
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        for (int open = 0; open < 3; open++) {
            Records records = new Records(true, ring(), KEEP);
            for (int i = 0; i < 100; i++) {
                byte[] sealed = records.seal(hash, SAMPLE);
                RecordHeader header = RecordHeader.read(sealed, sealed.length);
                assertThat(used.add(header.keyReference() + "/" + header.counter()))
                        .isTrue();
            }
        }
    }
}
