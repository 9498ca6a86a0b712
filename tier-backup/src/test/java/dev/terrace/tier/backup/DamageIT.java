package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DamageIT {
    private static final int ENTRIES = 400;

    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();

    /** A dictionary is flushed, which begins another log, and what is lost of one before the last cannot be counted by how far they reach. */
    private static final CacheWatch.Limits NO_DICTIONARY =
            new CacheWatch.Limits(100 * ENTRIES, 4 << 20, 8 << 10, 10_000, 100_000);

    private TestContext context(Path folder) {
        return new TestContext(clock, Backups.plain(folder), NO_DICTIONARY);
    }

    /** A folder as a killed process leaves it: everything in the log, nothing flushed. */
    private Path killed(String name) throws Exception {
        Path live = temp.resolve(name + "-live");
        Path copy = temp.resolve(name);
        RocksTier tier = Backups.open(context(live));
        try {
            for (int i = 0; i < ENTRIES; i++) {
                Backups.store(tier, Backups.entry("k" + i, clock.millis(), i, "value " + i + " " + "x".repeat(200)));
            }
            // The mark is written once a second, after the log was synced.
            Awaitility.await()
                    .until(() -> new HighWater(live.resolve("HIGHWATER")).read().sequence() >= ENTRIES);
            copy(live, copy);
        } finally {
            tier.close();
        }
        return copy;
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path source : (Iterable<Path>) all::iterator) {
                Files.copy(source, to.resolve(from.relativize(source).toString()));
            }
        }
    }

    private static Path largest(Path folder, String suffix) throws IOException {
        try (Stream<Path> all = Files.list(folder.resolve("db"))) {
            return all.filter(file -> file.toString().endsWith(suffix))
                    .max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length()))
                    .orElseThrow();
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            int old = bytes.read();
            bytes.seek(at);
            bytes.write(old ^ 0x10);
        }
    }

    private int readable(RocksTier tier) {
        int found = 0;
        for (int i = 0; i < ENTRIES; i++) {
            String value = Backups.read(tier, "k" + i);
            if (value != null) {
                assertThat(value).startsWith("value " + i + " ");
                found++;
            }
        }
        return found;
    }

    @Test
    @Tag("F41")
    void aLogCutShortOpensAndTheLossIsCounted() throws Exception {
        Path folder = killed("torn");
        Path log = largest(folder, ".log");
        try (RandomAccessFile bytes = new RandomAccessFile(log.toFile(), "rw")) {
            bytes.setLength(bytes.length() - 3_000);
        }
        TestContext context = context(folder);
        RocksTier tier = Backups.open(context);
        try {
            int found = readable(tier);
            assertThat(found).isBetween(ENTRIES / 2, ENTRIES - 1);
            assertThat(context.metrics().counter("l3.lost_estimate").getCount()).isEqualTo(ENTRIES - found);
        } finally {
            tier.close();
        }
    }

    @Test
    @Tag("F42")
    void aFlippedBitInTheLogIsSalvagedCountedAndNeverSilent() throws Exception {
        SplittableRandom random = new SplittableRandom(42);
        Path pristine = killed("flip");
        for (int round = 0; round < 8; round++) {
            Path folder = temp.resolve("flip-" + round);
            copy(pristine, folder);
            Path log = largest(folder, ".log");
            flip(log, random.nextLong(Files.size(log)));
            TestContext context = context(folder);
            RocksTier tier = Backups.open(context);
            try {
                int found = readable(tier);
                long lost = context.metrics().counter("l3.lost_estimate").getCount();
                assertThat(context.metrics().counter("l3.salvaged").getCount()).isEqualTo(1);
                assertThat(lost).as("round %d", round).isEqualTo(ENTRIES - found);
                assertThat(Files.list(folder).map(p -> p.getFileName().toString()))
                        .anyMatch(name -> name.startsWith("salvage-"));
                Backups.store(tier, Backups.entry("after", clock.millis(), 9_999, "x"));
            } finally {
                tier.close();
            }
            RocksTier again = Backups.open(context(folder));
            try {
                assertThat(Backups.read(again, "after")).isEqualTo("x");
            } finally {
                again.close();
            }
        }
    }

    @Test
    @Tag("F43")
    void flippedBitsInTableFilesAreMissesOrARefusalNeverWrongValues() throws Exception {
        Path pristine = temp.resolve("tables");
        RocksTier filled = Backups.open(context(pristine));
        for (int i = 0; i < ENTRIES; i++) {
            Backups.store(filled, Backups.entry("k" + i, clock.millis(), i, "value " + i + " " + "x".repeat(200)));
        }
        filled.close();
        Backups.open(context(pristine)).close(); // Recovery turns the log into a table file.
        SplittableRandom random = new SplittableRandom(43);
        int refused = 0;
        int missed = 0;
        for (int round = 0; round < 25; round++) {
            Path folder = temp.resolve("tables-" + round);
            copy(pristine, folder);
            Path table = largest(folder, ".sst");
            flip(table, random.nextLong(Files.size(table)));
            TestContext context = context(folder);
            RocksTier tier;
            try {
                tier = Backups.open(context);
            } catch (SetupException e) {
                refused++;
                continue;
            }
            try {
                int found = readable(tier);
                missed += ENTRIES - found;
                if (found < ENTRIES) {
                    assertThat(context.metrics().counter("l3.corrupt").getCount())
                            .isPositive();
                }
                int[] scanned = {0};
                tier.scan(entry -> ++scanned[0] > 0);
                assertThat(scanned[0]).isBetween(found - 200, ENTRIES);
                Backups.store(tier, Backups.entry("k1", clock.millis(), 9_999, "value 1 again"));
                assertThat(Backups.read(tier, "k1")).isEqualTo("value 1 again");
            } finally {
                tier.close();
            }
        }
        System.out.println("25 flips in table files: refused to open " + refused + ", entries missed " + missed);
    }

    @Test
    @Tag("F43")
    void damageToWhatNamesTheFilesRefusesToOpenAndChangesNothing() throws Exception {
        Path pristine = killed("names");
        for (String victim : List.of("CURRENT", "MANIFEST")) {
            Path folder = temp.resolve("names-" + victim);
            copy(pristine, folder);
            Path file;
            try (Stream<Path> all = Files.list(folder.resolve("db"))) {
                file = all.filter(f -> f.getFileName().toString().startsWith(victim))
                        .findFirst()
                        .orElseThrow();
            }
            Files.write(file, new byte[(int) Files.size(file)]);
            long logBytes = Files.size(largest(folder, ".log"));
            assertThatThrownBy(() -> Backups.open(context(folder)))
                    .as(victim)
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining(folder.toString())
                    .hasMessageContaining("move it aside");
            assertThat(Files.size(largest(folder, ".log"))).isEqualTo(logBytes);
            assertThat(Files.list(folder).map(p -> p.getFileName().toString()))
                    .noneMatch(name -> name.startsWith("salvage-"));
        }
        Path folder = temp.resolve("names-gone");
        copy(pristine, folder);
        Files.delete(folder.resolve("db").resolve("CURRENT"));
        assertThatThrownBy(() -> Backups.open(context(folder)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("CURRENT");
    }
}
