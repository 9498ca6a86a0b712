package dev.terrace.tier.local;

import static dev.terrace.tier.local.PersistedFixture.entry;
import static dev.terrace.tier.local.PersistedFixture.held;
import static dev.terrace.tier.local.PersistedFixture.key;
import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Entry;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a file that is none, or not what it was. */
class DamagedFileTest {
    private static final int KEYS = 500;
    private static final int FLIP_ROUNDS = Integer.getInteger("terrace.l1.flips", 25);

    @TempDir
    Path folder;

    private final ManualClock clock = ManualClock.startingNow();
    private final MetricRegistry metrics = new MetricRegistry();
    private final long seed = Long.getLong("terrace.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

    private PersistedTier open() {
        return PersistedFixture.open(folder, clock, metrics);
    }

    private Path file() {
        return folder.resolve("l1.terrace");
    }

    private static byte[] payload(int key) {
        byte[] payload = new byte[20 + key * 7 % 3_000];
        Arrays.fill(payload, (byte) key);
        return payload;
    }

    private void fill() {
        try (PersistedTier tier = open()) {
            for (int i = 0; i < KEYS; i++) {
                tier.store(entry(clock, i, 1, payload(i)), WriteCondition.IF_NEWER);
            }
            tier.keepPlaces(Map.of("log", "there"));
        }
    }

    private void change(long at, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), at);
        }
    }

    private void requireSetAside(String why) throws IOException {
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).as(why).isZero();
            tier.store(entry(clock, 1, 2, payload(1)), WriteCondition.IF_NEWER);
            assertThat(held(tier, key(1))).isNotNull();
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<String> aside = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("l1.terrace."))
                    .toList();
            assertThat(aside).as(why).anyMatch(name -> name.startsWith("l1.terrace." + why + "-"));
        }
    }

    @Test
    @Tag("F36")
    void aTruncatedFileIsSetAside() throws IOException {
        fill();
        for (long length : new long[] {Files.size(file()) - 1, 100_000, FileHeader.HEAD_BYTES, 4_096, 20}) {
            try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
                channel.truncate(length);
            }
            requireSetAside("truncated");
        }
    }

    @Test
    @Tag("F36")
    void anEmptyARandomAndAForeignFileAreSetAside() throws IOException {
        fill();
        byte[] noise = new byte[(int) Files.size(file())];
        random.split().nextBytes(noise);
        for (byte[] content : List.of(
                new byte[0],
                new byte[noise.length],
                noise,
                "someone else's notes".getBytes(java.nio.charset.StandardCharsets.UTF_8))) {
            Files.write(file(), content);
            requireSetAside("foreign");
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.filter(file -> file.toString().contains("foreign")))
                    .as("what is not ours is never thrown away")
                    .hasSize(4);
        }
    }

    @Test
    @Tag("F36")
    @Tag("F78")
    void aFileOfAnotherFormatAndOneOfAnotherSizeAreSetAside() throws IOException {
        fill();
        ByteBuffer header =
                new FileHeader(2, FileLayout.of(MapShape.of(PersistedFixture.settings(5_000, 8), false)), 1).bytes();
        change(0, header.array());
        requireSetAside("format-2");
        fill();
        try (PersistedTier tier = PersistedFixture.open(folder, clock, metrics, 12)) {
            assertThat(tier.inherited().entries()).isZero();
        }
        change(20, new byte[] {1});
        requireSetAside("damaged");
        fill();
        change(FileHeader.HEAD_BYTES / 16, new byte[FileHeader.HEAD_BYTES / 16 * 15]);
        requireSetAside("damaged");
    }

    @Test
    @Tag("F37")
    void aFlippedBitInTheFileIsAMissAndNeverAWrongValue() throws IOException {
        System.out.println("DamagedFileTest seed=" + seed);
        fill();
        byte[] sound = Files.readAllBytes(file());
        int lost = 0;
        for (int round = 0; round < FLIP_ROUNDS; round++) {
            byte[] flipped = sound.clone();
            for (int i = 0; i < 1 + round % 40; i++) {
                int at = FileHeader.HEAD_BYTES + random.nextInt(sound.length - FileHeader.HEAD_BYTES);
                flipped[at] ^= (byte) (1 << random.nextInt(8));
            }
            if (round % 5 == 0) {
                int at = FileHeader.HEAD_BYTES + random.nextInt(sound.length - FileHeader.HEAD_BYTES - 8_192);
                Arrays.fill(flipped, at, at + 8_192, (byte) random.nextInt(256));
            }
            Files.write(file(), flipped);
            try (PersistedTier tier = open()) {
                tier.confirm();
                lost += KEYS - requireOnlyRightValues(tier);
                for (int i = 0; i < KEYS; i += 3) {
                    tier.store(entry(clock, i, 2, payload(i)), WriteCondition.IF_NEWER);
                }
                requireOnlyRightValues(tier);
            }
        }
        assertThat(lost).as("seed %d: the flips hit something", seed).isPositive();
        assertThat(metrics.counter("l1.corrupt").getCount()).isPositive();
        assertThat(metrics.counter("l1.errors").getCount()).isZero();
    }

    @Test
    @Tag("F37")
    void aFlippedBitInMemoryIsAMissAndNothingElseIsTouched() throws IOException {
        System.out.println("DamagedFileTest seed=" + seed);
        fill();
        try (PersistedTier tier = open()) {
            tier.confirm();
            long size = Files.size(file());
            for (int round = 0; round < FLIP_ROUNDS * 10; round++) {
                // The mapping and the file are the same pages.
                long at = FileHeader.HEAD_BYTES + random.nextLong(size - FileHeader.HEAD_BYTES);
                change(at, new byte[] {(byte) random.nextInt(256)});
                int key = random.nextInt(KEYS);
                if (random.nextInt(3) == 0) {
                    tier.store(entry(clock, key, 2 + round, payload(key)), WriteCondition.IF_NEWER);
                } else {
                    tier.drop(key(key));
                }
                if (round % 50 == 0) {
                    requireOnlyRightValues(tier);
                }
            }
            requireOnlyRightValues(tier);
            tier.dropAll();
            assertThat(tier.status().entries()).isZero();
            for (int i = 0; i < KEYS; i++) {
                tier.store(entry(clock, i, 0xFFFF, payload(i)), WriteCondition.IF_NEWER);
            }
            assertThat(requireOnlyRightValues(tier)).as("no room was lost").isEqualTo(KEYS);
            assertThat(metrics.counter("l1.errors").getCount()).isZero();
        }
    }

    /** How many there are. */
    private int requireOnlyRightValues(PersistedTier tier) {
        int there = 0;
        for (int i = 0; i < KEYS; i++) {
            Entry held = held(tier, key(i));
            if (held != null) {
                there++;
                assertThat(held.payload()).as("seed %d key %d", seed, i).isEqualTo(payload(i));
            }
        }
        return there;
    }
}
