package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.BackupStorageSettings.RestoreOnStart;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a restore under a tier that serves does about parts that it cannot copy, and about answers that come too late. */
class LiveRestorePartsIT {
    private static final int ENTRIES = 600;
    private static final long TABLE_MAGIC = 0x88e241b785f4cff7L;

    @TempDir
    Path temp;

    private final InstantSource clock = InstantSource.system();
    private final long now = clock.millis();

    private BackupStorageSettings restoring(Duration timeout, int queueMib, URI from) {
        return new BackupStorageSettings(
                        true,
                        BackupStorageSettings.Backend.FILESYSTEM,
                        temp.resolve("into"),
                        true,
                        false,
                        null,
                        "terrace",
                        null,
                        Duration.ofHours(24),
                        false,
                        timeout,
                        10_000,
                        queueMib)
                .withObjectStorage(ObjectStorageSettings.of(from))
                .withRestore(RestoreOnStart.IF_EMPTY);
    }

    private URI repository() {
        return URI.create("file:" + temp.resolve("repository"));
    }

    private void backUp(String folder, List<Entry> entries) throws Exception {
        BackupStorageSettings settings = Backups.plain(temp.resolve(folder));
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        try {
            assertThat(Backups.await(tier.putAll(entries))).allMatch(StoreOutcome.Applied.class::isInstance);
        } finally {
            tier.close();
        }
        BackupStorageSettings shipped = settings.withObjectStorage(ObjectStorageSettings.of(repository()));
        OfflineBackup.snapshot(shipped, new TestContext(clock, shipped));
    }

    private Entry entry(CacheKey key, String text) {
        return Entries.value(key, Entries.version(now, 0), now, Backups.TTL, text);
    }

    private static RestoreReport report(RocksTier tier) {
        RestoreReport report = tier.restore();
        assertThat(report).isNotNull();
        return report;
    }

    private static int part(CacheKey key) {
        return KeyHash.plain().of(key)[0] & 0xFF;
    }

    /** All the keys by their hashes. */
    private static List<CacheKey> keys() {
        List<CacheKey> keys = new ArrayList<>();
        for (int i = 0; i < ENTRIES; i++) {
            keys.add(Backups.key("k" + i));
        }
        keys.sort(Comparator.comparing(key -> KeyHash.plain().of(key), Arrays::compareUnsigned));
        return keys;
    }

    private void loseTables(String writer) throws Exception {
        try (Stream<Path> blobs = Files.walk(temp.resolve("repository/w/" + writer + "/data"))) {
            for (Path blob : blobs.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(blob);
                if (bytes.length > Long.BYTES
                        && ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(bytes.length - Long.BYTES)
                                == TABLE_MAGIC) {
                    Files.delete(blob);
                }
            }
        }
    }

    @Test
    @Tag("F51")
    void whatIsLostHoldsUpThePartsThatItMayBeInAndNoOthers() throws Exception {
        List<CacheKey> keys = keys();
        int at = 0;
        while (part(keys.get(at)) == part(keys.get(at + 1))) {
            at++;
        }
        // So many blocked parts as there are threads, and nearly all others behind them.
        List<CacheKey> both = List.of(keys.get(at), keys.get(at + 1));
        backUp("one", keys.stream().map(key -> entry(key, "one")).toList());
        backUp("two", both.stream().map(key -> entry(key, "two")).toList());
        loseTables("000002");
        RocksTier tier = Backups.open(new TestContext(clock, restoring(Duration.ofSeconds(10), 64, repository())));
        try {
            int blocked = 2 + 1 + part(both.get(1)) - part(both.get(0));
            Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                assertThat(report(tier).partsDone()).isEqualTo(2 * RestoreNote.PARTS - blocked);
                assertThat(report(tier).trouble()).contains("w/000002/data/");
            });
            assertThat(Backups.await(tier.get(both.get(0)))).isInstanceOf(Lookup.Unavailable.class);
            assertThat(Backups.await(tier.get(keys.get(ENTRIES - 1)))).isInstanceOf(Lookup.Hit.class);
        } finally {
            tier.close();
        }
    }

    @Test
    void whatTheTierRefusesStaysInTheRepositorysCareAndIsNamed() throws Exception {
        String large = "x".repeat(2 << 20);
        backUp("one", List.of(entry(Backups.key("large"), large), entry(Backups.key("small"), "s")));
        RocksTier tier = Backups.open(new TestContext(clock, restoring(Duration.ofSeconds(10), 1, repository())));
        try {
            Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                assertThat(report(tier).trouble()).contains("queue_mib").contains("bytes");
                assertThat(report(tier).partsDone()).isEqualTo(RestoreNote.PARTS - 1);
            });
            assertThat(report(tier).entries()).isEqualTo(1);
            assertThat(Backups.read(tier, "large")).isEqualTo(large);
        } finally {
            tier.close();
        }
    }

    /** Blocks the threads that read, once it is told to. */
    private static final class StuckClock implements InstantSource {
        private @Nullable CountDownLatch gate;

        synchronized void stopReaders(CountDownLatch until) {
            gate = until;
        }

        private synchronized @Nullable CountDownLatch gate() {
            return gate;
        }

        @Override
        public Instant instant() {
            CountDownLatch until = gate();
            if (until != null && Thread.currentThread().getName().equals("terrace-l3-reader")) {
                try {
                    until.await(30, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return Instant.now();
        }
    }

    @Test
    void anAnswerThatComesTooLateDuringARestoreIsNoSignOfABrokenTier() {
        StuckClock stuck = new StuckClock();
        CountDownLatch gate = new CountDownLatch(1);
        CacheKey key = Backups.key("k");
        BackupStorageSettings settings = restoring(Duration.ofSeconds(1), 64, URI.create("nowhere:/else"));
        RocksTier tier = Backups.open(new TestContext(stuck, settings));
        try {
            // From after the restore began, so it is answered without the repository.
            Entry ours =
                    Entries.value(key, Entries.version(now + Duration.ofHours(1).toMillis(), 0), now, Backups.TTL, "v");
            Awaitility.await().until(() -> {
                Backups.await(tier.put(ours, WriteCondition.IF_NEWER));
                return Backups.await(tier.get(key)) instanceof Lookup.Hit;
            });
            stuck.stopReaders(gate);
            assertThat(Backups.await(tier.get(key)))
                    .isInstanceOfSatisfying(
                            Lookup.Unavailable.class,
                            no -> assertThat(no.cause()).isEqualTo(Unavailability.DISCONNECTED));
            assertThat(Backups.await(tier.getAll(List.of(key))).get(key))
                    .isInstanceOfSatisfying(
                            Lookup.Unavailable.class,
                            no -> assertThat(no.cause()).isEqualTo(Unavailability.DISCONNECTED));
        } finally {
            gate.countDown();
            tier.close();
        }
    }
}
