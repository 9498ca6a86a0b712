package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Settings and small steps that these tests share. */
final class Backups {
    static final Secret PASSPHRASE = new Secret("correct horse");
    static final Duration TTL = Duration.ofDays(300);

    private Backups() {}

    static BackupStorageSettings settings(
            Path folder, boolean encryption, @Nullable Path keystore, @Nullable Secret passphrase, Duration retention) {
        return new BackupStorageSettings(
                true,
                BackupStorageSettings.Backend.FILESYSTEM,
                folder,
                true,
                encryption,
                keystore,
                "terrace",
                passphrase,
                retention,
                false,
                Duration.ofSeconds(10),
                10_000,
                64);
    }

    static BackupStorageSettings plain(Path folder) {
        return settings(folder, false, null, null, Duration.ofHours(24));
    }

    static BackupStorageSettings withPassphrase(Path folder) {
        return settings(folder, true, null, PASSPHRASE, Duration.ofHours(24));
    }

    /** Whose log is kept for who ships it, which the test does: the tier's own thread waits longer than any test. */
    static BackupStorageSettings shipped(BackupStorageSettings settings) {
        BackupSchedule never = new BackupSchedule(Duration.ofMinutes(10), Duration.ofDays(7), 1, 1);
        return settings.withObjectStorage(ObjectStorageSettings.of(URI.create("file:/unused")))
                .withSchedule(never);
    }

    /** Makes the keystore when it is not there yet. */
    static BackupStorageSettings withKeystore(Path folder, Path keys) {
        Path keystore = keys.resolve("backup.bcfks");
        if (!Files.exists(keystore)) {
            BackupKeystore.create(keystore, "terrace", PASSPHRASE);
        }
        return settings(folder, true, keystore, PASSPHRASE, Duration.ofHours(24));
    }

    /** Locked by a key that lies in a file, which is made when it is not there yet: opens at once. */
    static BackupStorageSettings withKeyFile(Path folder, Path key) {
        try {
            if (!Files.exists(key)) {
                Files.writeString(key, "0123456789abcdef".repeat(4));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return withPassphrase(folder).withKey(null, "terrace", null, "file", key.toString());
    }

    static RocksTier open(TestContext context) {
        return RocksTierProvider.tier(context);
    }

    static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("the stage must complete normally and in time", e);
        }
    }

    static CacheKey key(String text) {
        return CacheKey.of("backup", text);
    }

    static Entry entry(String key, long nowMillis, int counter, String text) {
        return Entries.value(key(key), Entries.version(nowMillis, counter), nowMillis, TTL, text);
    }

    static void store(Tier tier, Entry entry) {
        assertThat(await(tier.put(entry, WriteCondition.IF_NEWER))).isInstanceOf(StoreOutcome.Applied.class);
    }

    static @Nullable String read(Tier tier, String key) {
        Lookup found = await(tier.get(key(key)));
        return found instanceof Lookup.Hit hit ? Entries.text(hit.entry()) : null;
    }
}
