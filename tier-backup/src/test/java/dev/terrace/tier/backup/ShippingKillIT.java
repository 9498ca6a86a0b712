package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.RepositoryKeys;
import dev.terrace.tier.backup.repo.Verifier;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that writes and ships is killed at moments of chance; {@code -Dterrace.backup.kills=300} kills more often. */
class ShippingKillIT {
    @TempDir
    Path temp;

    private static BackupStorageSettings settings(Path home) {
        return Backups.plain(home.resolve("l3"))
                .withObjectStorage(
                        ObjectStorageSettings.of(home.resolve("repository").toUri()))
                .withSchedule(new BackupSchedule(Duration.ofMillis(50), Duration.ofMillis(700), 5, 5));
    }

    @Test
    @Tag("F47")
    void whatWasShippedIsARestorablePrefixOfWhatWasWritten() throws Exception {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("ShippingKillIT: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        int begin = 0;
        int restored = -1;
        for (int round = 0; round < Integer.getInteger("terrace.backup.kills", 3); round++) {
            begin = writeAndDie(begin, random.nextInt(1_500)) + 1;
            int now = restoredPrefix(temp.resolve("into-" + round));
            assertThat(now).as("nothing that was shipped is lost").isGreaterThanOrEqualTo(restored);
            restored = now;
        }
        int written;
        try (ShippingChild.Living living = ShippingChild.open(settings(temp))) {
            living.awaitShipped();
            written = prefix(living.tier());
        }
        assertThat(written).isGreaterThanOrEqualTo(begin - 1);
        assertThat(restoredPrefix(temp.resolve("into-last"))).isEqualTo(written);
    }

    /** Returns the last number that was seen to be acknowledged; everything before it was, too, and perhaps more. */
    private int writeAndDie(int from, long afterMillis) throws Exception {
        ChildWriter child = ChildWriter.start(ShippingChild.class, temp.toString(), Integer.toString(from));
        int last = from - 1;
        try {
            long deadline = 0;
            for (String line = child.line(); line != null; line = child.line()) {
                last = Integer.parseInt(line);
                if (deadline == 0) {
                    deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(afterMillis);
                } else if (System.nanoTime() - deadline > 0) {
                    break;
                }
            }
        } finally {
            child.kill();
        }
        assertThat(last).isGreaterThanOrEqualTo(from);
        return last;
    }

    /** Numbers 0 to n and no others come back; returns n, or -1 when nothing was shipped yet. */
    private int restoredPrefix(Path into) throws Exception {
        BackupStorageSettings settings = settings(temp);
        TestContext context = new TestContext(InstantSource.system(), settings);
        ObjectStorageSettings storage = settings.objectStorage();
        assertThat(storage).isNotNull();
        try (BlobStore store = BackupRepository.open(storage.url(), context)) {
            Repository repository = new Repository(store, RepositoryKeys.plain());
            assertThat(repository.writers()).isLessThanOrEqualTo(1);
            if (repository.writers() == 0 || repository.chain(1).load().isEmpty()) {
                return -1;
            }
            assertThat(new Verifier(repository, 1)
                            .verify(blob -> true, read -> {})
                            .problems())
                    .isEmpty();
            new Restore(store, settings, context, into).run(null, entry -> true, true, done -> {});
        }
        RocksTier tier = Backups.open(
                new TestContext(InstantSource.system(), settings.withPath(into).withObjectStorage(null)));
        try {
            return prefix(tier);
        } finally {
            tier.close();
        }
    }

    private static int prefix(RocksTier tier) {
        int last = -1;
        while (Backups.read(tier, "k" + (last + 1)) != null) {
            last++;
        }
        int[] found = new int[1];
        tier.scan(entry -> {
            found[0]++;
            return true;
        });
        assertThat(found[0]).as("no gaps").isEqualTo(last + 1);
        return last;
    }

    /** Writes k&lt;from&gt;, the next, and so on, each when the one before is acknowledged, and says so. */
    static final class ShippingChild {
        private ShippingChild() {}

        /** An open folder that ships. */
        record Living(RocksTier tier, TestContext context) implements AutoCloseable {
            void awaitShipped() {
                org.awaitility.Awaitility.await()
                        .atMost(60, TimeUnit.SECONDS)
                        .until(() ->
                                context.metrics().counter("l3.backup.snapshots").getCount() > 0);
            }

            @Override
            public void close() {
                tier.close();
            }
        }

        static Living open(BackupStorageSettings settings) {
            TestContext context = new TestContext(InstantSource.system(), settings);
            return new Living(Backups.open(context), context);
        }

        public static void main(String[] args) {
            try (Living living = open(settings(Path.of(args[0])))) {
                for (int i = Integer.parseInt(args[1]); true; i++) {
                    living.tier()
                            .put(
                                    Backups.entry(
                                            "k" + i, InstantSource.system().millis(), 0, "value " + i),
                                    WriteCondition.IF_NEWER)
                            .toCompletableFuture()
                            .orTimeout(10, TimeUnit.SECONDS)
                            .join();
                    System.out.println(i);
                }
            }
        }
    }
}
