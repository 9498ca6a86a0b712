package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.BackupStorageSettings.RestoreOnStart;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes whose L3 comes back from two writers, one with keys of its own, while it serves and is written to, and which are killed anywhere, until one
 * has it all. Some kills by default, more with {@code -Dterrace.restore.kills=50}.
 */
class LiveRestoreKillIT {
    private static final int ENTRIES = 1_500;
    private static final int WRITES = 30;

    @TempDir
    Path temp;

    private final InstantSource clock = InstantSource.system();
    private final long now = clock.millis();

    private static BackupStorageSettings settings(Path temp, String folder) {
        return Backups.withKeyFile(temp.resolve(folder), temp.resolve("kek"));
    }

    private static ObjectStorageSettings repository(Path temp) {
        return ObjectStorageSettings.of(URI.create("file:" + temp.resolve("repository")));
    }

    private void write(String folder, int from, int to, String text, boolean inSnapshot) throws Exception {
        BackupStorageSettings settings = settings(temp, folder).withObjectStorage(repository(temp));
        int half = inSnapshot ? to : from + (to - from) / 2;
        put(settings, from, half, text);
        OfflineBackup.snapshot(settings, new TestContext(clock, settings));
        put(settings, half, to, text); // Ships them as changes when it is closed.
    }

    private void put(BackupStorageSettings settings, int from, int to, String text) {
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        try {
            List<Entry> batch = new ArrayList<>();
            for (int i = from; i < to; i++) {
                batch.add(Entries.value(
                        CacheKey.of("backup", "k" + i),
                        Entries.version(now + text.length(), 0),
                        now,
                        Backups.TTL,
                        text + i + noise(i)));
                if (batch.size() == 500 || i == to - 1) {
                    assertThat(Backups.await(tier.putAll(batch))).allMatch(StoreOutcome.Applied.class::isInstance);
                    batch.clear();
                }
            }
            assertThat(to == from ? "" : Backups.await(tier.snapshot())).isEmpty();
        } finally {
            tier.close();
        }
    }

    private static String noise(int seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(" ");
        for (int i = 0; i < 40; i++) {
            text.append(Long.toHexString(random.nextLong()));
        }
        return text.toString();
    }

    @Test
    @Tag("F61")
    void aNodeThatIsKilledWhileItsL3ComesBackGoesOnAndLosesNothing() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("LiveRestoreKillIT: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        write("one", 0, ENTRIES, "one ", true);
        write("two", ENTRIES / 2, ENTRIES + 500, "second ", false);
        int kills = Integer.getInteger("terrace.restore.kills", 2);
        int written = 0;
        for (int i = 0; i < kills; i++) {
            written = Math.max(written, run(random.nextInt(WRITES - 5)));
        }
        int last = run(-1);
        assertThat(last).isGreaterThanOrEqualTo(written);
        Map<String, String> expected = new HashMap<>();
        for (int i = 0; i < ENTRIES + 500; i++) {
            expected.put("k" + i, (i < ENTRIES / 2 ? "one " : "second ") + i + noise(i));
        }
        for (int i = 0; i <= last; i++) {
            expected.put("k" + i, "mine " + i);
        }
        RocksTier tier = Backups.open(new TestContext(clock, settings(temp, "into")));
        try {
            Map<String, String> found = new HashMap<>();
            tier.scan(entry -> {
                found.put(new String(entry.key().keyBytes()), Entries.text(entry));
                return true;
            });
            assertThat(found).isEqualTo(expected);
        } finally {
            tier.close();
        }
    }

    /** Returns the last write that was acknowledged; runs to the end when it is not to be killed. */
    private int run(int killAfterWrites) throws Exception {
        ChildWriter child = ChildWriter.start(ServingChild.class, temp.toString());
        try {
            int written = -1;
            for (String line = child.line(); line != null; line = child.line()) {
                if (line.equals("done")) {
                    return written;
                }
                assertThat(line).matches("\\d+");
                written = Integer.parseInt(line);
                if (written == killAfterWrites) {
                    return written;
                }
            }
            throw new AssertionError("ended by itself");
        } finally {
            child.kill();
        }
    }

    /** Serves, writes one key after the other, says which were taken, and ends when all is back. */
    static final class ServingChild {
        private ServingChild() {}

        public static void main(String[] args) throws Exception {
            Path temp = Path.of(args[0]);
            BackupStorageSettings settings =
                    settings(temp, "into").withObjectStorage(repository(temp)).withRestore(RestoreOnStart.IF_EMPTY);
            InstantSource clock = InstantSource.system();
            RocksTier tier = Backups.open(new TestContext(clock, settings));
            for (int i = 0; i < WRITES; i++) {
                Entry entry = Entries.value(
                        CacheKey.of("backup", "k" + i),
                        Entries.version(clock.millis() + 1_000, 0),
                        clock.millis(),
                        Backups.TTL,
                        "mine " + i);
                if (Backups.await(tier.put(entry, WriteCondition.IF_NEWER)) instanceof StoreOutcome.Applied) {
                    System.out.println(i);
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
                RestoreReport report = tier.restore();
                return report == null || report.state() == RestoreReport.State.DONE;
            });
            tier.close();
            System.out.println("done");
        }
    }
}
