package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.codahale.metrics.Gauge;
import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.s3.FaultyS3;
import dev.terrace.testkit.s3.S3Fault;
import dev.terrace.testkit.s3.S3Server;
import dev.terrace.tier.backup.BackupRepository;
import dev.terrace.tier.backup.Restore;
import dev.terrace.tier.backup.RocksTierProvider;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Problem;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole backups over a bad way to a real S3 server: a node snapshots, ships and prunes by itself while requests fail as they can; what is in
 * the bucket is whole after each round. More rounds with {@code -Dterrace.backup.rounds=100}.
 */
class S3BackupsIT {
    private static final InstantSource CLOCK = InstantSource.system();
    private static final Duration HASTY = Duration.ofSeconds(2);
    private static final List<S3Fault> FAULTS = List.of(
            S3Fault.ERROR,
            S3Fault.SLOW_DOWN,
            S3Fault.RESET,
            S3Fault.ANSWER_LOST,
            S3Fault.HALF_UPLOAD,
            S3Fault.TRUNCATED_ANSWER,
            S3Fault.ERROR_IN_200,
            S3Fault.SKEWED_CLOCK);

    @TempDir
    Path temp;

    private S3Server server;
    private FaultyS3 proxy;
    private BackupStorageSettings settings;
    private BackupStorageSettings clean;
    private int written;

    @BeforeEach
    void start() throws Exception {
        server = S3Server.start();
        proxy = FaultyS3.before(server.port());
        URI url = URI.create("s3://" + Buckets.create(server.endpoint()) + "/p");
        BackupStorageSettings folder = BackupStorageSettings.defaults()
                .withPath(temp.resolve("l3"))
                .withSchedule(new BackupSchedule(Duration.ofMillis(60), Duration.ofMillis(500), 1, 1));
        settings = folder.withObjectStorage(Buckets.settings(url, proxy.endpoint(), HASTY));
        clean = folder.withObjectStorage(Buckets.settings(url, server.endpoint(), Duration.ofSeconds(30)));
    }

    @AfterEach
    void stop() throws Exception {
        proxy.close();
        server.close();
    }

    @Test
    @Tag("F48")
    @Tag("F49")
    @Tag("F50")
    @Tag("F52")
    void whateverTheWayDoesWhatIsPublishedIsWholeAndBackupsGoOn() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextInt(1_000_000));
        System.out.println("S3BackupsIT: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        int shipped = 0;
        for (int round = 0; round < Integer.getInteger("terrace.backup.rounds", 5); round++) {
            storm(random, round);
            requireWhole();
            int now = restored(temp.resolve("into-" + round));
            assertThat(now).as("nothing that was shipped is lost").isBetween(shipped, written);
            shipped = now;
        }
        assertThat(proxy.faults()).isGreaterThan(10);
        proxy.plan(request -> S3Fault.NONE);
        node(tier -> {}, true);
        requireWhole();
        assertThat(restored(temp.resolve("into-last"))).isEqualTo(written);
    }

    private interface Life {
        void live(Tier tier) throws Exception;
    }

    /** A node's life. */
    private void node(Life life, boolean untilShipped) throws Exception {
        TestContext context = new TestContext(CLOCK, settings);
        try (Tier tier = new RocksTierProvider().open(context)) {
            life.live(tier);
            if (untilShipped) {
                long begun = CLOCK.millis();
                Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> {
                    Gauge<?> now = context.metrics().getGauges().get("l3.backup.lag_millis");
                    long millis = now == null ? -1 : ((Number) now.getValue()).longValue();
                    return millis >= 0 && CLOCK.millis() - millis > begun;
                });
            }
        }
    }

    private void storm(Random random, int round) throws Exception {
        double rate = List.of(0.03, 0.1, 0.4).get(round % 3);
        long seed = random.nextLong();
        proxy.plan(request -> {
            SplittableRandom own = new SplittableRandom(seed + 0x9E3779B97F4A7C15L * request.number());
            if (own.nextDouble() >= rate) {
                return S3Fault.NONE;
            }
            if (request.isListing() && own.nextBoolean()) {
                return S3Fault.STALE_LISTING;
            }
            // Silence costs a timeout each time.
            S3Fault fault = own.nextInt(25) == 0 ? S3Fault.SILENCE : FAULTS.get(own.nextInt(FAULTS.size()));
            // An answer to HEAD has no body that could hold an error.
            return fault == S3Fault.ERROR_IN_200 && request.method().equals("HEAD") ? S3Fault.ERROR : fault;
        });
        long requests = proxy.requests();
        node(
                tier -> {
                    for (int i = 0; i < 12; i++) {
                        write(tier);
                        long seen = proxy.requests();
                        Awaitility.await()
                                .pollInterval(Duration.ofMillis(10))
                                .atMost(20, TimeUnit.SECONDS)
                                .until(() -> proxy.requests() >= seen + 3);
                    }
                },
                false);
        assertThat(proxy.requests()).isGreaterThan(requests);
    }

    private void write(Tier tier) throws Exception {
        long now = CLOCK.millis();
        StoreOutcome outcome = tier.put(
                        Entries.value(
                                CacheKey.of("c", "k" + written),
                                Entries.version(now, 0),
                                now,
                                Duration.ofDays(30),
                                "value " + written),
                        WriteCondition.IF_NEWER)
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
        assertThat(outcome).isInstanceOf(StoreOutcome.Applied.class);
        written++;
    }

    /** Asked past the faults. */
    private List<Problem> problems(BlobStore store) throws Exception {
        BackupRepository repository = new BackupRepository(store, clean, CLOCK);
        assertThat(repository.writers()).isLessThanOrEqualTo(1);
        if (repository.writers() == 0) {
            return List.of();
        }
        Repository of = repository.of(1);
        return new Verifier(of, 1).verify(blob -> true, read -> {}).problems();
    }

    private void requireWhole() throws Exception {
        try (BlobStore store = open(clean)) {
            assertThat(problems(store)).isEmpty();
        }
    }

    private static BlobStore open(BackupStorageSettings which) throws BlobException {
        return BackupRepository.open(
                Objects.requireNonNull(which.objectStorage()).url(), new TestContext(CLOCK, which));
    }

    /** Restores over the bad way until it is done, and at last over a good one: how many values there are. */
    private int restored(Path into) throws Exception {
        try (BlobStore store = open(clean)) {
            BackupRepository repository = new BackupRepository(store, clean, CLOCK);
            if (repository.writers() == 0 || repository.of(1).chain(1).load().isEmpty()) {
                return 0;
            }
        }
        if (!tryRestore(settings, into)) {
            assertThat(tryRestore(clean, into)).as("a broken restore goes on").isTrue();
        }
        BackupStorageSettings there = clean.withPath(into).withObjectStorage(null);
        try (Tier tier = new RocksTierProvider().open(new TestContext(CLOCK, there))) {
            int count = 0;
            while (tier.get(CacheKey.of("c", "k" + count)).toCompletableFuture().get(30, TimeUnit.SECONDS)
                    instanceof Lookup.Hit hit) {
                assertThat(Entries.text(hit.entry())).isEqualTo("value " + count);
                count++;
            }
            assertThat(Files.exists(into.resolve("restoring"))).isFalse();
            return count;
        }
    }

    private static boolean tryRestore(BackupStorageSettings which, Path into) throws Exception {
        try (BlobStore store = open(which)) {
            new Restore(store, which, new TestContext(CLOCK, which), into).run(null, entry -> true, true, done -> {});
            return true;
        } catch (BlobException | IOException | DamagedException e) {
            // What a proxy makes up, an error in place of a small blob, looks like damage.
            assertThat(e).message().isNotBlank();
            return false;
        }
    }

    @Test
    @Tag("F51")
    void aLostObjectIsNamedByVerifyAndByARestoreThatRefuses() throws Exception {
        node(
                tier -> {
                    for (int i = 0; i < 5; i++) {
                        write(tier);
                    }
                },
                true);
        try (BlobStore store = open(settings)) {
            String lost = store.list("w/000001/data/", null, 1).blobs().get(0).name();
            proxy.plan(request -> request.path().endsWith(lost) ? S3Fault.LOST : S3Fault.NONE);
            assertThat(problems(store)).anySatisfy(problem -> {
                assertThat(problem.kind()).isEqualTo(Problem.Kind.MISSING);
                assertThat(problem.blob()).isEqualTo(lost);
                assertThat(problem.hurts()).isNotEmpty();
            });
            Throwable refused = catchThrowable(
                    () -> new Restore(store, settings, new TestContext(CLOCK, settings), temp.resolve("into"))
                            .run(null, entry -> true, true, done -> {}));
            assertThat(refused).isInstanceOf(BlobException.class).hasMessageContaining(lost);
        }
    }
}
