package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class EnvelopeTest {
    /** Written by hand from the format's description; never regenerate it from the code. */
    private static final String GOLDEN_VALUE = "01" // format
            + "00" // value
            + "0192a3b4c5d60007" // clock: ms 0x0192a3b4c5d6, counter 7
            + "00000000deadbeef" // node
            + "000000000000000a" // created
            + "0000000000000014" // fresh until
            + "7fffffffffffffff" // stale until: for ever
            + "0006" // cache name length
            + "0002" // key length
            + "0005" // tags length
            + "00000003" // payload length
            + "71756f746573" // quotes
            + "6b31" // k1
            + "000365752d" // tag "eu-"
            + "010203"; // payload

    private static final String GOLDEN_TOMBSTONE = "01" + "01"
            + "0000000000010002"
            + "0000000000000003"
            + "0000000000000004"
            + "0000000000000005"
            + "0000000000000005"
            + "0001"
            + "0001"
            + "0000"
            + "00000000"
            + "63"
            + "6b";

    private static byte[] golden(String hex) {
        byte[] body = HexFormat.of().parseHex(hex);
        CRC32C crc = new CRC32C();
        crc.update(body);
        byte[] whole = Arrays.copyOf(body, body.length + 4);
        for (int i = 0; i < 4; i++) {
            whole[body.length + i] = (byte) (crc.getValue() >>> (24 - 8 * i));
        }
        return whole;
    }

    private static Entry goldenValue() {
        return new Entry(
                CacheKey.of("quotes", "k1"),
                EntryKind.VALUE,
                Version.of(0x0192a3b4c5d6L, 7, 0xdeadbeefL),
                10,
                20,
                Entry.FOREVER,
                List.of("eu-"),
                new byte[] {1, 2, 3});
    }

    @Test
    void writesTheGoldenBytes() {
        assertThat(Envelope.encode(goldenValue())).isEqualTo(golden(GOLDEN_VALUE));
        assertThat(HexFormat.of().formatHex(Envelope.encode(goldenValue()))).endsWith("a779659c");
        assertThat(Envelope.encode(Entry.tombstone(CacheKey.of("c", "k"), Version.of(1, 2, 3), 4, 5)))
                .isEqualTo(golden(GOLDEN_TOMBSTONE));
    }

    @Test
    void readsTheGoldenBytes() {
        assertThat(Envelope.decode(golden(GOLDEN_VALUE))).isEqualTo(new Envelope.Sound(goldenValue()));
        assertThat(Envelope.decode(golden(GOLDEN_TOMBSTONE)))
                .isEqualTo(new Envelope.Sound(Entry.tombstone(CacheKey.of("c", "k"), Version.of(1, 2, 3), 4, 5)));
    }

    @Test
    void everyTruncationIsNamed() {
        byte[] whole = Envelope.encode(goldenValue());
        for (int length = 0; length < whole.length; length++) {
            assertThat(Envelope.decode(Arrays.copyOf(whole, length)))
                    .as("first %d bytes", length)
                    .isEqualTo(new Envelope.Malformed(Envelope.Flaw.TRUNCATED));
        }
        assertThat(Envelope.decode(Arrays.copyOf(whole, whole.length + 1)))
                .isEqualTo(new Envelope.Malformed(Envelope.Flaw.BAD_STRUCTURE));
    }

    @Test
    @Tag("F37")
    void everySingleFlippedBitIsNoticed() {
        byte[] whole = Envelope.encode(goldenValue());
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(Envelope.decode(flipped)).as("bit %d", bit).isInstanceOf(Envelope.Malformed.class);
        }
    }

    @Test
    @Tag("F78")
    void anotherFormatIsNamedAsSuch() {
        byte[] other = Envelope.encode(goldenValue());
        other[0] = 2;
        assertThat(Envelope.decode(other)).isEqualTo(new Envelope.Malformed(Envelope.Flaw.UNKNOWN_FORMAT));
    }

    @Test
    @Tag("F71")
    void randomBytesNeverCrashAReaderEvenUnderAValidChecksum() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("EnvelopeTest seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        byte[] sound = Envelope.encode(goldenValue());
        int refused = 0;
        int rounds = 200_000;
        for (int round = 0; round < rounds; round++) {
            byte[] bytes;
            if (round % 2 == 0) {
                bytes = new byte[random.nextInt(200)];
                random.nextBytes(bytes);
                if (bytes.length > 0) {
                    bytes[0] = Envelope.FORMAT;
                }
            } else {
                // Sound at first, then some header bytes become rubbish and the checksum is made right again.
                bytes = sound.clone();
                for (int i = random.nextInt(1, 4); i > 0; i--) {
                    bytes[random.nextInt(1, bytes.length - 4)] = (byte) random.nextInt();
                }
                CRC32C crc = new CRC32C();
                crc.update(bytes, 0, bytes.length - 4);
                for (int i = 0; i < 4; i++) {
                    bytes[bytes.length - 4 + i] = (byte) (crc.getValue() >>> (24 - 8 * i));
                }
            }
            if (Envelope.decode(bytes) instanceof Envelope.Malformed) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(rounds / 2).isLessThan(rounds);
    }

    @Test
    void roundTripsRandomEntries() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("EnvelopeTest seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 5_000; round++) {
            byte[] key = new byte[random.nextInt(1, 300)];
            byte[] payload = new byte[random.nextInt(2_000)];
            random.nextBytes(key);
            random.nextBytes(payload);
            EntryKind kind = payload.length == 0 && random.nextBoolean() ? EntryKind.NOT_FOUND : EntryKind.VALUE;
            long fresh = random.nextLong(Long.MAX_VALUE);
            Entry entry = new Entry(
                    CacheKey.of("c" + round % 7, key),
                    kind,
                    new Version(random.nextLong(), random.nextLong()),
                    random.nextLong(),
                    fresh,
                    random.nextLong(fresh, Long.MAX_VALUE),
                    random.nextBoolean() ? List.of() : List.of("a", "żó", ""),
                    payload);
            byte[] bytes = Envelope.encode(entry);
            assertThat(bytes).hasSize(Envelope.length(entry));
            assertThat(Envelope.decode(bytes)).isEqualTo(new Envelope.Sound(entry));
        }
    }

    @Test
    void aViewReadsInPlaceAndTellsKeysApart() {
        byte[] bytes = Envelope.encode(goldenValue());
        EnvelopeView view = new EnvelopeView();
        assertThat(view.wrap(bytes, bytes.length)).isNull();
        assertThat(view.version()).isEqualTo(goldenValue().version());
        assertThat(view.freshUntilMillis()).isEqualTo(20);
        assertThat(view.isFor(CacheKey.of("quotes", "k1"))).isTrue();
        assertThat(view.isFor(CacheKey.of("quote", "sk1")))
                .as("same bytes, other split")
                .isFalse();
        assertThat(view.isFor(CacheKey.of("quotes", "k2"))).isFalse();
        KeyBuffer buffer = new KeyBuffer();
        buffer.start("quotes".getBytes(StandardCharsets.UTF_8));
        buffer.write('k');
        buffer.write('1');
        assertThat(view.isFor(buffer)).isTrue();
        buffer.start("quote".getBytes(StandardCharsets.UTF_8));
        buffer.write("sk1".getBytes(StandardCharsets.UTF_8), 0, 3);
        assertThat(view.isFor(buffer)).isFalse();
    }

    @Test
    void tagsThatDoNotFitAreRefusedBeforeAnythingIsWritten() {
        Entry tooMany = new Entry(
                CacheKey.of("c", "k"),
                EntryKind.VALUE,
                Version.ZERO,
                0,
                1,
                1,
                List.of("x".repeat(70_000)),
                new byte[0]);
        assertThatThrownBy(() -> Envelope.encode(tooMany))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("65535");
    }
}
