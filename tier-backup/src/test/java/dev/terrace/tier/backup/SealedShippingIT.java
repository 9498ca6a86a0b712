package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.Verifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups that only an offline key opens. */
class SealedShippingIT {
    private static final long HOUR = Duration.ofHours(1).toMillis();

    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final BlobStore store = new HeapBucket(clock).open();
    private final RecipientKey own = RecipientKey.create(new SecureRandom());
    private final MetricRegistry metrics = new MetricRegistry();
    private BackupStorageSettings settings = Backups.plain(Path.of("unused"));
    private int counter;

    private Shipping shipping(RocksTier tier, RecipientKey... recipients) throws Exception {
        Path folder = settings.path();
        List<Recipient> to =
                List.of(recipients).stream().map(RecipientKey::recipient).toList();
        return new Shipping(
                tier.vault().store(),
                new StoreCheckpoint(tier.vault().store(), folder.resolve("checkpoint"), clock),
                new Repository(store, RepositoryRing.signing(null), new SealedTo(to)),
                new FolderPlace(folder.resolve("BACKUP")),
                new RepositoryRing(folder.resolve("KEYS")),
                new Shipping.Schedule(5_000, HOUR, null),
                null,
                clock,
                metrics);
    }

    private void put(RocksTier tier, String key, String text) {
        clock.advance(Duration.ofMillis(10));
        Backups.store(tier, Backups.entry(key, clock.millis(), counter++, text));
    }

    private void restore(Path into, @Nullable RecipientKey key) throws Exception {
        new Restore(store, settings, new TestContext(clock, settings), into, key)
                .run(null, entry -> true, true, done -> {});
    }

    private @Nullable String read(Path folder, String key) {
        RocksTier tier = Backups.open(new TestContext(clock, settings.withPath(folder)));
        try {
            return Backups.read(tier, key);
        } finally {
            tier.close();
        }
    }

    private static Set<String> blobs(ChainState state) {
        return state.snapshot().files().stream()
                .map(FileRef::blob)
                .map(BlobRef::name)
                .collect(Collectors.toSet());
    }

    @Test
    void onlyTheOfflineKeyOpensThemAndOnlyWhatIsNewIsSent() throws Exception {
        settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RecipientKey another = RecipientKey.create(new SecureRandom());
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        Set<String> first;
        Set<String> second;
        Set<String> toOthers;
        try {
            Shipping shipping = shipping(tier, own);
            put(tier, "a", "one");
            first = blobs(shipping.run());
            put(tier, "b", "two");
            ChainState state = shipping.run();
            assertThat(state.toSequence()).isPositive();
            second = blobs(shipping.snapshot());
            put(tier, "c", "three");
            shipping.run();
            toOthers = blobs(shipping(tier, own, another).snapshot());
        } finally {
            tier.close();
        }
        assertThat(first).allMatch(name -> name.contains(".box-"));
        assertThat(second).as("what did not change is not sent again").containsAnyElementsOf(first);
        assertThat(toOthers).as("sealed to others: all is sent again").doesNotContainAnyElementsOf(second);
        requireWhole();
        requireRefusals();
        for (RecipientKey key : List.of(own, another)) {
            Path into = temp.resolve(key.recipient().fingerprint());
            restore(into, key);
            assertThat(read(into, "a")).isEqualTo("one");
            assertThat(read(into, "b")).isEqualTo("two");
            assertThat(read(into, "c")).isEqualTo("three");
            assertThat(into.resolve("restoring")).doesNotExist();
        }
    }

    /** Verifying needs the signatures' keys, not the private one. */
    private void requireWhole() throws Exception {
        Repository repository = new BackupRepository(store, settings, clock).of(1);
        Verifier.Report report = new Verifier(repository, 1).verify(blob -> true, read -> {});
        assertThat(report.problems()).isEmpty();
        assertThat(report.blobsRead()).isGreaterThan(5);
    }

    private void requireRefusals() {
        Path into = temp.resolve("refused");
        assertThatThrownBy(() -> restore(into, null))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("sealed to an offline key")
                .hasMessageContaining("--private-key");
        RecipientKey stranger = RecipientKey.create(new SecureRandom());
        assertThatThrownBy(() -> restore(into, stranger))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("sealed to another key");
    }

    @Test
    void aKilledRestoreDoesNotFetchAgainWhatItHasOpened() throws Exception {
        settings = Backups.shipped(Backups.plain(temp.resolve("l3")));
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        ChainState state;
        try {
            put(tier, "a", "one");
            state = shipping(tier, own).run();
        } finally {
            tier.close();
        }
        Path part = temp.resolve("part");
        FileRef file = state.snapshot().files().get(0);
        Unsealing unsealing = new Unsealing(part.resolve("unsealed"), own);
        Path box = temp.resolve("box");
        Files.write(box, store.read(file.blob().name(), 1 << 24).orElseThrow());
        Path target = Files.createDirectories(part.resolve("db")).resolve(file.file());
        unsealing.open(file.blob(), box, target);
        assertThat(unsealing.wasOpened(file.blob(), target)).isTrue();
        Files.write(target, new byte[] {1, 2, 3});
        assertThat(unsealing.wasOpened(file.blob(), target)).isFalse();
        unsealing.open(file.blob(), box, target);
        unsealing.forget();
        assertThat(unsealing.wasOpened(file.blob(), target)).isFalse();
    }
}
