package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
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
