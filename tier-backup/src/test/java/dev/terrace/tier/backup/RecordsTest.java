package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.Version;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordsTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final long KEEP = 1_000_000;
    private static final Entry SAMPLE = entry("quotes", "ACME", 0x1234, "forty-two");

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
        if (!Files.exists(file)) {
            KeyRing.create(file, Backups.withPassphrase(temp), new ManualClock(0));
        }
        return KeyRing.open(file, Backups.withPassphrase(temp), new ManualClock(0));
    }

    @Test
    void aPlainRecordHasExactlyTheseBytes() {
        Records records = new Records(false, null, KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        assertThat(HEX.formatHex(hash)).isEqualTo("46d7492b3f3456734b0b8bb7706deef3");
        byte[] envelope = Envelope.encode(SAMPLE);
        String header = "01" // format
                + "00" // flags
                + "00000000" // epoch
                + "00000000" // sub-key
                + "0000000000000000" // nonce
                + HEX.toHexDigits(envelope.length)
                + "018bcfe568001234" // version, clock
                + "0000000000000007"; // version, node
        assertThat(HEX.formatHex(records.seal(hash, SAMPLE))).isEqualTo(header + HEX.formatHex(envelope));
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
                for (int size : new int[] {0, 1, 100, 5_000, 300_000}) {
                    Entry entry = entry("c", "k" + size, size & 0xFFFF, "x".repeat(size));
                    byte[] hash = KeyHash.plain().of(entry.key());
                    byte[] sealed = records.seal(hash, entry);
                    assertThat(records.open(hash, sealed)).isEqualTo(entry);
                    if (compression && size == 5_000) {
                        assertThat(sealed.length).isLessThan(300);
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

    @Test
    @Tag("F60")
    void aFrameThatClaimsMoreThanAllowedIsRefusedBeforeAnythingIsAllocated() {
        Records records = new Records(true, null, KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        byte[] bomb = Zstd.compress(new byte[200 << 20]);
        assertThat(bomb.length).isLessThan(40_000);
        for (int declared : new int[] {200 << 20, 1_000, 64 << 20, Integer.MAX_VALUE, -1}) {
            byte[] record = ByteBuffer.allocate(Records.HEADER_BYTES + bomb.length)
                    .put(Records.FORMAT)
                    .put((byte) 1)
                    .putInt(0)
                    .putInt(0)
                    .putLong(0)
                    .putInt(declared)
                    .putLong(0)
                    .putLong(0)
                    .put(bomb)
                    .array();
            assertThat(records.open(hash, record)).as("declared %d", declared).isNull();
        }
    }

    @Test
    void randomAndTruncatedBytesNeverOpenAndNeverThrow() throws IOException {
        SplittableRandom random = new SplittableRandom(20261121);
        Records plain = new Records(true, null, KEEP);
        Records sealed = new Records(true, ring(), KEEP);
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        Entry entry = entry("c", "k", 1, "abc".repeat(100));
        for (Records records : List.of(plain, sealed)) {
            byte[] good = records.seal(hash, entry);
            for (int length = 0; length < good.length; length++) {
                assertThat(records.open(hash, Arrays.copyOf(good, length))).isNull();
            }
            for (int round = 0; round < 20_000; round++) {
                byte[] bytes = round % 2 == 0 ? new byte[random.nextInt(200)] : good.clone();
                if (round % 2 == 0) {
                    random.nextBytes(bytes);
                    if (bytes.length > 1) {
                        bytes[0] = 1;
                        bytes[1] &= 3;
                    }
                } else {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                }
                Entry opened = records.open(hash, bytes);
                // A flipped bit in an unused header field of a plain record changes nothing.
                assertThat(opened == null || opened.equals(entry)).isTrue();
            }
        }
    }

    @Test
    void noNonceIsUsedTwiceByOneSubKeyAndEachOpenHasItsOwn() throws IOException {
        Set<String> used = new HashSet<>();
        byte[] hash = KeyHash.plain().of(SAMPLE.key());
        for (int open = 0; open < 3; open++) {
            Records records = new Records(true, ring(), KEEP);
            for (int i = 0; i < 100; i++) {
                byte[] sealed = records.seal(hash, SAMPLE);
                assertThat(used.add(HEX.formatHex(sealed, 2, 18))).isTrue();
            }
        }
    }
}
