package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestoreDiskFullIT extends SmallDisk {
    private static final int VALUE_BYTES = 100_000;
    private static final int ENTRIES = 60;

    @TempDir
    Path elsewhere;

    RestoreDiskFullIT() {
        super(64);
    }

    @Test
    @Tag("F44")
    @Tag("F61")
    void aFullDiskIsSaidAndTheRestoreGoesOnWhenThereIsRoom() throws Exception {
        ManualClock clock = ManualClock.startingNow();
        URI url = URI.create("file:" + elsewhere.resolve("repository"));
        BackupStorageSettings settings =
                Backups.plain(elsewhere.resolve("l3")).withObjectStorage(ObjectStorageSettings.of(url));
        RocksTier tier = Backups.open(new TestContext(clock, settings.withObjectStorage(null)));
        try {
            for (int i = 0; i < ENTRIES; i++) {
                assertThat(Backups.await(
                                tier.putAll(java.util.List.of(Backups.entry("k" + i, clock.millis(), i, noise(i))))))
                        .allMatch(StoreOutcome.Applied.class::isInstance);
            }
        } finally {
            tier.close();
        }
        TestContext context = new TestContext(clock, settings);
        OfflineBackup.snapshot(settings, context);
        Path filler = mountPoint.resolve("filler");
        Files.write(filler, new byte[63 << 20]);
        Path into = mountPoint.resolve("into");
        try (BlobStore store = BackupRepository.open(url, context)) {
            assertThatThrownBy(() ->
                            new Restore(store, settings, context, into).run(null, entry -> true, true, done -> {}))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("No space left");
            assertThat(into.resolve("TERRACE")).doesNotExist();
            Files.delete(filler);
            new Restore(store, settings, context, into).run(null, entry -> true, true, done -> {});
        }
        RocksTier restored =
                Backups.open(new TestContext(clock, settings.withPath(into).withObjectStorage(null)));
        try {
            for (int i = 0; i < ENTRIES; i++) {
                assertThat(Backups.read(restored, "k" + i)).isEqualTo(noise(i));
            }
        } finally {
            restored.close();
        }
    }

    private static String noise(int seed) {
        byte[] bytes = new byte[VALUE_BYTES];
        new Random(seed).nextBytes(bytes);
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).substring(0, VALUE_BYTES / 2);
    }
}
