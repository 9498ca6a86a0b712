package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.blob.HeapBlobStore;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.RepositoryKeys;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The process dies at a step of a backup; what it leaves on its disk is opened by the next one, which goes on. Some steps by random,
 * all with {@code -Dterrace.backup.crashes=1000}.
 */
class CrashedShippingIT {
    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final Map<String, String> model = new TreeMap<>();
    private int written;

    private static Shipping shipping(RocksTier tier, Path folder, BlobStore store, ManualClock clock) {
        return new Shipping(
                tier.vault().store(),
                new StoreCheckpoint(tier.vault().store(), folder.resolve("checkpoint"), clock),
                new Repository(store, RepositoryKeys.plain()),
                new FolderPlace(folder.resolve("BACKUP")),
                new RepositoryRing(folder.resolve("KEYS")),
                new Shipping.Schedule(5_000, 3_600_000, null),
                null,
                clock,
                new MetricRegistry());
    }

    private void put(RocksTier tier, int many) {
        for (int i = 0; i < many; i++) {
            clock.advance(Duration.ofMillis(10));
            String key = "k" + written % 40;
            String text = "v" + written++;
            Backups.store(tier, Backups.entry(key, clock.millis(), 0, text));
            model.put(key, text);
        }
    }

    /** A snapshot, changes, a delta, changes, a snapshot. */
    private void cycle(RocksTier tier, Shipping shipping) throws Exception {
        put(tier, 30);
        shipping.run();
        put(tier, 30);
        shipping.run();
        put(tier, 30);
        shipping.snapshot();
    }

    @Test
    @Tag("F47")
    void whereverItDiesTheRepositoryIsWholeAndTheNextOneGoesOn() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("CrashedShippingIT: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        long steps = countSteps();
        int crashes = (int) Math.min(Integer.getInteger("terrace.backup.crashes", 4), 2 * steps);
        for (int i = 0; i < crashes; i++) {
            long step = crashes == 2 * steps ? 1 + i / 2 : 1 + (long) (random.nextDouble() * steps);
            boolean after = crashes == 2 * steps ? i % 2 == 0 : random.nextBoolean();
            crashAt(temp.resolve("crash-" + i), step, after);
        }
    }

    private long countSteps() throws Exception {
        BackupStorageSettings settings = Backups.shipped(Backups.plain(temp.resolve("counted")));
        HeapBlobStore store = new HeapBucket(clock).open();
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        try {
            cycle(tier, shipping(tier, settings.path(), store, clock));
        } finally {
            tier.close();
        }
        return store.steps();
    }

    private void crashAt(Path home, long step, boolean after) throws Exception {
        model.clear();
        BackupStorageSettings settings = Backups.shipped(Backups.plain(home.resolve("l3")));
        HeapBucket bucket = new HeapBucket(clock);
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        Path left = home.resolve("left");
        try {
            try {
                cycle(tier, shipping(tier, settings.path(), bucket.open().crashingAt(step, after), clock));
            } catch (Exception | Error e) {
                assertThat(e).as("only the crash").hasStackTraceContaining("Crash");
            }
            copy(settings.path(), left);
        } finally {
            tier.close();
        }
        BlobStore store = bucket.open();
        assertWhole(store);
        BackupStorageSettings next = settings.withPath(left);
        RocksTier again = Backups.open(new TestContext(clock, next));
        try {
            Shipping shipping = shipping(again, left, store, clock);
            shipping.run();
            put(again, 5);
            shipping.run();
        } finally {
            again.close();
        }
        assertThat(new Repository(store, RepositoryKeys.plain()).chain(1).load().isPresent()
                        || new Repository(store, RepositoryKeys.plain()).writers() > 1)
                .isTrue();
        assertWhole(store);
        Path into = home.resolve("into");
        new Restore(store, settings, new TestContext(clock, settings), into).run(null, entry -> true, true, done -> {});
        RocksTier restored = Backups.open(new TestContext(clock, settings.withPath(into)));
        try {
            for (Map.Entry<String, String> one : model.entrySet()) {
                assertThat(Backups.read(restored, one.getKey()))
                        .as("%s, died at step %d, after it: %s", one.getKey(), step, after)
                        .isEqualTo(one.getValue());
            }
        } finally {
            restored.close();
        }
    }

    private static void assertWhole(BlobStore store) throws Exception {
        Repository repository = new Repository(store, RepositoryKeys.plain());
        for (int writer = 1; writer <= repository.writers(); writer++) {
            assertThat(new Verifier(repository, writer)
                            .verify(blob -> true, read -> {})
                            .problems())
                    .isEmpty();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }
}
