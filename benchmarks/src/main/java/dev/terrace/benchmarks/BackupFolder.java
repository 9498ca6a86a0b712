package dev.terrace.benchmarks;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/** An L3 to measure: its settings, and {@link Documents} as its entries. */
final class BackupFolder {
    static final String CACHE = "products";
    static final int BATCH = 100;
    static final Duration TTL = Duration.ofDays(1);

    private static final HybridClock CLOCK = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));

    /** Batches under way; together fewer entries than the queue holds. */
    private static final int WINDOW = 32;

    private BackupFolder() {}

    /**
     * Settings with a key in a file beside it, so that no time goes into passphrases.
     *
     * @param home where the folder and the key are made
     */
    static BackupStorageSettings settings(Path home, boolean encrypted) throws IOException {
        Path key = home.resolve("master-key");
        if (!Files.exists(key)) {
            Files.writeString(key, "0123456789abcdef".repeat(4));
        }
        BackupStorageSettings plain = new BackupStorageSettings(
                true,
                BackupStorageSettings.Backend.FILESYSTEM,
                home.resolve("l3"),
                true,
                encrypted,
                null,
                "terrace",
                new Secret("unused"),
                TTL,
                false,
                Duration.ofSeconds(30),
                10_000,
                64);
        return encrypted ? plain.withKey(null, "terrace", null, "file", key.toString()) : plain;
    }

    static CacheKey key(int number) {
        return CacheKey.of(CACHE, String.format("prd-%08d", number));
    }

    /** Newer than all before. */
    static Entry entry(int number, byte[] payload) {
        return entry(key(number), payload);
    }

    /** The same under a key that was made before. */
    static Entry entry(CacheKey key, byte[] payload) {
        long millis = CLOCK.millis();
        long until = millis + TTL.toMillis();
        return new Entry(key, EntryKind.VALUE, CLOCK.next(), millis, until, until, List.of(), payload);
    }

    /** Writes {@code count} documents in batches, several under way, and waits for all. */
    static void fill(Tier tier, int count, IntFunction<byte[]> payloads) {
        Queue<CompletableFuture<List<StoreOutcome>>> underWay = new ArrayDeque<>();
        for (int from = 0; from < count; from += BATCH) {
            List<Entry> batch = new ArrayList<>(BATCH);
            for (int i = from; i < Math.min(count, from + BATCH); i++) {
                batch.add(entry(i, payloads.apply(i)));
            }
            underWay.add(tier.putAll(batch).toCompletableFuture());
            if (underWay.size() > WINDOW) {
                requireApplied(underWay.remove().join());
            }
        }
        underWay.forEach(one -> requireApplied(one.join()));
    }

    static void requireApplied(List<StoreOutcome> outcomes) {
        for (StoreOutcome outcome : outcomes) {
            if (!(outcome instanceof StoreOutcome.Applied)) {
                throw new IllegalStateException("not stored: " + outcome);
            }
        }
    }
}
