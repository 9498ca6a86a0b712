package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.testkit.TestContext;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A restore that merges two writers with keys of their own in a process with 64 MiB of heap, whose memory is looked at from outside. More data by {@code
 * -Dterrace.restore.mib=2000}: the memory stays what it is.
 */
class RestoreMemoryIT {
    private static final int VALUE_BYTES = 64_000;
    private static final int HEAP_MIB = 64;
    /** The process as a whole: heap, RocksDB, and what a JVM takes for itself. */
    private static final long MOST_MIB = 256;

    @TempDir
    Path temp;

    private static BackupStorageSettings settings(Path temp, String folder) {
        return Backups.withKeyFile(temp.resolve(folder), temp.resolve("kek"))
                .withObjectStorage(ObjectStorageSettings.of(URI.create("file:" + temp.resolve("repository"))));
    }

    private void write(String folder, int entries, int seed) throws Exception {
        BackupStorageSettings settings = settings(temp, folder);
        TestContext context = new TestContext(InstantSource.system(), settings);
        long now = context.clock().millis();
        RocksTier tier = Backups.open(new TestContext(InstantSource.system(), settings.withObjectStorage(null)));
        try {
            Random random = new Random(seed);
            byte[] noise = new byte[VALUE_BYTES / 2];
            List<Entry> batch = new ArrayList<>();
            for (int i = 0; i < entries; i++) {
                random.nextBytes(noise);
                String text = new String(noise, StandardCharsets.ISO_8859_1);
                batch.add(Backups.entry("k" + (i + seed * entries / 2), now, seed, text));
                if (batch.size() == 100 || i == entries - 1) {
                    assertThat(Backups.await(tier.putAll(batch))).allMatch(StoreOutcome.Applied.class::isInstance);
                    batch.clear();
                }
            }
        } finally {
            tier.close();
        }
        OfflineBackup.snapshot(settings, context);
    }

    @Test
    @Tag("F61")
    void memoryIsBoundedWhateverTheDataSize() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/status")), "skipped: looks into /proc");
        int entries = (int) ((long) Integer.getInteger("terrace.restore.mib", 48) * (1 << 20) / VALUE_BYTES);
        write("one", entries, 0);
        write("two", entries, 1);
        ChildWriter child = ChildWriter.start(HEAP_MIB, RestoringChild.class, temp.toString());
        String said = child.output();
        System.out.println("RestoreMemoryIT: " + said.trim());
        String[] figures = said.trim().split(" ");
        assertThat(figures).as(said).hasSize(3);
        // Half of their keys are the same.
        assertThat(Long.parseLong(figures[0])).as("entries merged").isBetween(entries / 2L - 1, (long) entries);
        assertThat(Long.parseLong(figures[2])).as("MiB at most").isLessThan(MOST_MIB);
    }

    /** Prints entries merged, MiB downloaded, and the most memory that its process had. */
    static final class RestoringChild {
        private RestoringChild() {}

        public static void main(String[] args) throws Exception {
            Path temp = Path.of(args[0]);
            BackupStorageSettings settings = settings(temp, "into");
            TestContext context = new TestContext(InstantSource.system(), settings);
            try (BlobStore store = BackupRepository.open(URI.create("file:" + temp.resolve("repository")), context)) {
                Restore.Report report = new Restore(store, settings, context, temp.resolve("into"))
                        .run(null, entry -> true, true, done -> {});
                try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                    String peak = lines.filter(line -> line.startsWith("VmHWM:"))
                            .findFirst()
                            .orElseThrow();
                    System.out.println(report.merged() + " " + (report.bytes() >> 20) + " "
                            + (Long.parseLong(peak.replaceAll("\\D", "")) >> 10));
                }
            } catch (Exception | Error e) {
                System.out.println("failed: " + e);
            }
        }
    }
}
