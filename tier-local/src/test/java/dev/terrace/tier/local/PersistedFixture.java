package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A persisted L1 and what tests put into it. */
final class PersistedFixture {
    static final Duration TTL = Duration.ofHours(1);

    /** More than the clocks of tests go back. */
    static final Duration DRIFT = Duration.ofHours(2);

    private PersistedFixture() {}

    static LocalCacheSettings settings(long capacity, long mebibytes) {
        return new LocalCacheSettings(true, capacity, mebibytes, TTL, EvictionPolicy.ADAPTIVE, Duration.ofMillis(50));
    }

    static PersistedTier open(Path folder, InstantSource clock, MetricRegistry metrics) {
        return open(folder, clock, metrics, 8);
    }

    static PersistedTier open(Path folder, InstantSource clock, MetricRegistry metrics, long mebibytes) {
        return open(folder, clock, metrics, settings(5_000, mebibytes), DRIFT);
    }

    static PersistedTier open(
            Path folder, InstantSource clock, MetricRegistry metrics, LocalCacheSettings settings, Duration maxDrift) {
        return PersistedTier.open(settings, new Groups(), folder, clock, maxDrift, metrics, KeyHash.XXH128);
    }

    /** As if the machine had stopped while the folder was in use, and the disk had everything of some moment before. */
    static void stopMachine(Path folder) throws IOException {
        try (FileChannel file =
                FileChannel.open(folder.resolve("l1.terrace"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer head = file.map(MapMode.READ_WRITE, 0, FileHeader.HEAD_BYTES);
            FileState.Copy left = Objects.requireNonNull(FileState.newest(head));
            FileState state = left.state();
            new FileState(state.file(), "another run of the machine", false, state.places(), state.syncedPlaces())
                    .write(head, left.number() + 1);
        }
    }

    static CacheKey key(int key) {
        return CacheKey.of("c", "k" + key);
    }

    /** Fresh for half an hour, and stale for as long again. */
    static Entry entry(InstantSource clock, int key, int number, byte[] payload) {
        long now = clock.millis();
        long half = TTL.toMillis() / 2;
        return new Entry(
                key(key), EntryKind.VALUE, version(now, number), now, now + half, now + 2 * half, List.of(), payload);
    }

    static @Nullable Entry held(PersistedTier tier, CacheKey key) {
        return tier.get(key).toCompletableFuture().join() instanceof Lookup.Hit hit ? hit.entry() : null;
    }
}
