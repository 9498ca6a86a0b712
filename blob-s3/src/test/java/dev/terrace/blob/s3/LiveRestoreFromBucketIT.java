package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BackupShipper;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.Restoring;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.s3.FaultyS3;
import dev.terrace.testkit.s3.S3Fault;
import dev.terrace.testkit.s3.S3Server;
import dev.terrace.tier.backup.RocksTierProvider;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * L3 that lost its folder serves at once and comes back from a real S3 server, with a proxy before it that holds back, loses or changes what a test says: here
 * the file with what was written first. What was written later, and after the snapshot, does not need it.
 */
class LiveRestoreFromBucketIT {
    private static final int OLD = 2_000;
    private static final int NEW = 200;
    private static final Duration TTL = Duration.ofDays(30);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();
    private S3Server server;
    private FaultyS3 proxy;
    private BackupStorageSettings settings;
    private String oldest;
    private Tier tier;

    @BeforeEach
    void lose() throws Exception {
        server = S3Server.start();
        proxy = FaultyS3.before(server.port());
        URI url = URI.create("s3://" + Buckets.create(server.endpoint()) + "/p");
        settings = BackupStorageSettings.defaults()
                .withPath(temp.resolve("l3"))
                .withSchedule(new BackupSchedule(Duration.ofMillis(50), Duration.ofDays(7), 24, 7))
                .withObjectStorage(Buckets.settings(url, server.endpoint(), Duration.ofSeconds(10)));
        Tier before = new RocksTierProvider().open(new TestContext(clock, settings));
        try {
            write(before, "old", OLD);
            clock.advance(Duration.ofHours(4)); // Into another partition, which has files of its own.
            write(before, "new", NEW);
            assertThat(await(((BackupShipper) before).snapshot())).isEmpty();
            write(before, "late", NEW);
            put(before, tombstone("new0"));
            put(before, marker("cleared"));
        } finally {
            before.close(); // Ships the rest.
        }
        try (BlobStore store = Buckets.open(Objects.requireNonNull(settings.objectStorage()))) {
            List<BlobStore.Stat> blobs =
                    new ArrayList<>(store.list("w/", null, 1_000).blobs());
            blobs.removeIf(blob -> !blob.name().contains("/data/"));
            oldest = blobs.stream()
                    .max(Comparator.comparingLong(BlobStore.Stat::bytes))
                    .orElseThrow()
                    .name();
        }
        clock.advance(Duration.ofSeconds(1));
        settings = settings.withPath(temp.resolve("fresh"))
                .withObjectStorage(Buckets.settings(url, proxy.endpoint(), Duration.ofSeconds(2)))
                .withRestore(BackupStorageSettings.RestoreOnStart.IF_EMPTY);
    }

    @AfterEach
    void stop() throws Exception {
        if (tier != null) {
            tier.close();
        }
        proxy.close();
        server.close();
    }

    private static String text(String name) {
        Random random = new Random(name.hashCode());
        StringBuilder text = new StringBuilder(name);
        for (int i = 0; i < 20; i++) {
            text.append(' ').append(Long.toHexString(random.nextLong()));
        }
        return text.toString();
    }

    private static CacheKey key(String name) {
        return CacheKey.of("quotes", name);
    }

    private void write(Tier to, String name, int count) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(value(key(name + i), text(name + i)));
        }
        entries.add(value(CacheKey.of("cleared", name), text(name)));
        assertThat(await(to.putAll(entries))).allMatch(StoreOutcome.Applied.class::isInstance);
    }

    private Entry value(CacheKey key, String text) {
        return Entries.value(key, Entries.version(clock.millis(), 0), clock.millis(), TTL, text);
    }

    private Entry tombstone(String name) {
        return Entries.tombstone(key(name), Entries.version(clock.millis(), 1), clock.millis(), TTL);
    }

    private Entry marker(String cache) {
        return Entries.value(MarkerKeys.ofCache(cache), Entries.version(clock.millis(), 2), clock.millis(), TTL, "");
    }

    private void put(Tier to, Entry entry) {
        assertThat(await(to.put(entry, WriteCondition.IF_NEWER))).isInstanceOf(StoreOutcome.Applied.class);
    }

    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("the stage must complete normally and in time", e);
        }
    }

    private void open() {
        tier = new RocksTierProvider().open(new TestContext(clock, settings));
    }

    private Lookup get(String name) {
        return await(tier.get(key(name)));
    }

    private void awaitText(String name, String text) {
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .atMost(PATIENCE)
                .until(() -> !(get(name) instanceof Lookup.Unavailable));
        assertThat(get(name))
                .as(name)
                .isInstanceOfSatisfying(
                        Lookup.Hit.class,
                        hit -> assertThat(Entries.text(hit.entry())).isEqualTo(text));
    }

    private RestoreReport report() {
        return Objects.requireNonNull(((Restoring) tier).restore());
    }

    private void requireUnknown(String name) {
        assertThat(get(name))
                .as("neither there nor absent")
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.DISCONNECTED));
    }

    private boolean isOldest(S3Fault.Request request) {
        return request.method().equals("GET") && request.path().endsWith(oldest.substring(oldest.lastIndexOf('/')));
    }

    private void awaitAll() {
        Awaitility.await().atMost(PATIENCE).until(() -> report().state() == RestoreReport.State.DONE);
        for (int i = 1; i < NEW; i += 5) {
            awaitText("new" + i, text("new" + i));
            awaitText("late" + i, text("late" + i));
        }
        for (int i = 1; i < OLD; i += 50) {
            awaitText("old" + i, text("old" + i));
        }
        assertThat(report().trouble()).isEmpty();
        assertThat(temp.resolve("fresh").resolve("RESTORE")).doesNotExist();
        assertThat(Files.exists(temp.resolve("fresh").resolve("restoring-live")))
                .isFalse();
    }

    @Test
    void theFirstRightAnswerComesBeforeTheDownloadIsCompleteAndWhatIsWrittenMeanwhileWins() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        proxy.plan(request -> {
            if (isOldest(request)) {
                awaitLatch(held);
            }
            return S3Fault.NONE;
        });
        open();
        awaitText("late1", text("late1"));
        awaitText("new1", text("new1"));
        assertThat(report().state()).isEqualTo(RestoreReport.State.RUNNING);
        assertThat(report().bytesHere()).isLessThan(report().bytes());
        assertThat(get("new0"))
                .as("invalidated after the snapshot")
                .isInstanceOfSatisfying(
                        Lookup.Hit.class,
                        hit -> assertThat(hit.entry().isValue()).isFalse());
        assertThat(await(tier.get(CacheKey.of("cleared", "new"))))
                .as("its cache was cleared")
                .isEqualTo(Lookup.MISS);
        requireUnknown("old1");
        requireUnknown("never written");
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
        assertThat(tier.status().detail()).contains("being restored");

        clock.advance(Duration.ofMinutes(2));
        put(tier, value(key("old1"), "written meanwhile"));
        put(tier, tombstone("old2"));
        awaitText("old1", "written meanwhile");
        held.countDown();
        Awaitility.await().atMost(PATIENCE).until(() -> report().state() == RestoreReport.State.DONE);
        awaitText("old1", "written meanwhile");
        assertThat(get("old2"))
                .isInstanceOfSatisfying(
                        Lookup.Hit.class,
                        hit -> assertThat(hit.entry().isValue()).isFalse());
        assertThat(get("never written")).isEqualTo(Lookup.MISS);
        awaitText("old3", text("old3"));
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await(60, TimeUnit.SECONDS); // Whatever became of the test.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    @Tag("F51")
    void anObjectThatIsLostOrChangedIsNamedAndTheRestIsServed() {
        for (S3Fault fault : List.of(S3Fault.LOST, S3Fault.FLIPPED_BIT)) {
            proxy.plan(request -> isOldest(request) ? fault : S3Fault.NONE);
            open();
            awaitText("late1", text("late1"));
            awaitText("new1", text("new1"));
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> report().trouble().contains(oldest.substring(oldest.lastIndexOf('/') + 1)));
            long began = System.nanoTime();
            requireUnknown("old1");
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began))
                    .as("nobody waits for what cannot be had")
                    .isLessThan(5_000);
            assertThat(tier.status().detail()).contains("is late");
            if (fault == S3Fault.LOST) {
                tier.close();
            }
        }
        proxy.plan(request -> S3Fault.NONE);
        awaitAll();
    }

    @Test
    @Tag("F48")
    void aStoreThatIsAwayIsTriedAgainWhileL3TakesWrites() {
        proxy.plan(request -> S3Fault.ERROR);
        open();
        requireUnknown("new1");
        clock.advance(Duration.ofMinutes(2));
        put(tier, value(key("mine"), "mine"));
        awaitText("mine", "mine");
        Awaitility.await().atMost(PATIENCE).until(() -> !report().trouble().isEmpty());
        tier.close(); // And a restart in the middle.
        proxy.plan(request -> S3Fault.NONE);
        open();
        awaitAll();
        awaitText("mine", "mine");
    }
}
