package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import java.net.URI;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes that restore two writers, one with keys of its own, and are killed anywhere, again and again until one is done: into an empty folder, a
 * chosen cache, and into a folder that is there. Some kills by default, more with {@code -Dterrace.restore.kills=200}.
 */
class RestoreKillIT {
    private static final int ENTRIES = 3_000;
    private static final String OTHER = "other";

    @TempDir
    Path temp;

    private final Map<String, String> expected = new TreeMap<>();
    private final long now = InstantSource.system().millis();

    private enum Way {
        EMPTY,
        CHOSEN,
        MERGED
    }

    private static BackupStorageSettings settings(Path temp, String folder) {
        return Backups.withKeyFile(temp.resolve(folder), temp.resolve("kek"));
    }

    private static URI repository(Path temp) {
        return URI.create("file:" + temp.resolve("repository"));
    }

    private void write(String folder, boolean shipped, long versionMillis, int from, int to, String text)
            throws Exception {
        BackupStorageSettings settings = settings(temp, folder);
        RocksTier tier = Backups.open(new TestContext(InstantSource.system(), settings));
        try {
            List<Entry> batch = new ArrayList<>();
            for (int i = from; i < to; i++) {
                CacheKey key = CacheKey.of(i % 2 == 0 ? "backup" : OTHER, "k" + i);
                batch.add(Entries.value(
                        key, Entries.version(versionMillis, 0), now, Backups.TTL, text + i + " " + noise(i)));
                if (batch.size() == 500 || i == to - 1) {
                    assertThat(Backups.await(tier.putAll(batch))).allMatch(StoreOutcome.Applied.class::isInstance);
                    batch.clear();
                }
            }
        } finally {
            tier.close();
        }
        if (shipped) {
            BackupStorageSettings shipping = settings.withObjectStorage(ObjectStorageSettings.of(repository(temp)));
            OfflineBackup.snapshot(shipping, new TestContext(InstantSource.system(), shipping));
        }
    }

    private static String noise(int seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            text.append(Long.toHexString(random.nextLong()));
        }
        return text.toString();
    }

    @Test
    @Tag("F61")
    void aRestoreThatIsKilledAnywhereGoesOnAndEndsAsOneThatWasNot() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("RestoreKillIT: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        write("one", true, now, 0, ENTRIES, "one ");
        write("two", true, now + 1, ENTRIES / 2, ENTRIES + 500, "two ");
        int kills = 0;
        int most = Integer.getInteger("terrace.restore.kills", 4);
        Way[] ways = Way.values();
        int first = random.nextInt(ways.length);
        for (int round = 0; kills < most; round++) {
            Way way = ways[(first + round) % ways.length];
            String into = "into-" + round;
            if (way == Way.MERGED) {
                write(into, false, now + 2, 100, 300, "here ");
            }
            boolean isDone = false;
            while (!isDone) {
                isDone = restore(into, way, kills < most ? random.nextInt(900) : -1);
                kills += isDone ? 0 : 1;
            }
            assertThat(read(into)).as("%s %s", way, into).isEqualTo(expected(way));
            assertThat(temp.resolve(into).resolve("restoring")).doesNotExist();
        }
    }

    private Map<String, String> expected(Way way) {
        expected.clear();
        for (int i = 0; i < ENTRIES + 500; i++) {
            if (way != Way.CHOSEN || i % 2 != 0) {
                boolean isHere = way == Way.MERGED && i >= 100 && i < 300;
                expected.put("k" + i, (isHere ? "here " : i < ENTRIES / 2 ? "one " : "two ") + i + " " + noise(i));
            }
        }
        return expected;
    }

    private Map<String, String> read(String folder) {
        RocksTier tier = Backups.open(new TestContext(InstantSource.system(), settings(temp, folder)));
        try {
            Map<String, String> found = new TreeMap<>();
            tier.scan(entry -> {
                found.put(new String(entry.key().keyBytes()), Entries.text(entry));
                return true;
            });
            return found;
        } finally {
            tier.close();
        }
    }

    /** Returns whether it was done before it was killed. */
    private boolean restore(String into, Way way, int killAfterMillis) throws Exception {
        ChildWriter child = ChildWriter.start(RestoringChild.class, temp.toString(), into, way.name());
        ScheduledExecutorService killer = Executors.newSingleThreadScheduledExecutor();
        try {
            assertThat(child.line()).isEqualTo("begins");
            if (killAfterMillis >= 0) {
                killer.schedule(
                        () -> {
                            child.kill();
                            return null;
                        },
                        killAfterMillis,
                        TimeUnit.MILLISECONDS);
            }
            String line = child.line();
            assertThat(line == null || line.equals("done")).as(line).isTrue();
            return line != null;
        } finally {
            killer.shutdownNow();
            child.kill();
        }
    }

    /** Restores, slowly enough to be killed in the middle of a file. */
    static final class RestoringChild {
        private static final long BYTES_PER_SECOND = 8 << 20;

        private RestoringChild() {}

        public static void main(String[] args) {
            Path temp = Path.of(args[0]);
            Way way = Way.valueOf(args[2]);
            BackupStorageSettings settings = settings(temp, args[1]);
            TestContext context = new TestContext(InstantSource.system(), settings);
            System.out.println("begins");
            try (BlobStore store = BackupRepository.open(repository(temp), context)) {
                Restore restore = new Restore(store, settings, context, temp.resolve(args[1])).atMost(BYTES_PER_SECOND);
                if (way == Way.MERGED) {
                    restore.merging();
                }
                restore.run(
                        null,
                        entry -> way != Way.CHOSEN || entry.key().cache().equals(OTHER),
                        way != Way.CHOSEN,
                        done -> {});
                System.out.println("done");
            } catch (Exception e) {
                System.out.println(e);
            }
        }
    }
}
