package dev.terrace.core;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import java.time.Duration;

/**
 * Keys whose load failed or took too long a short while ago: stale values are answered for them without another try. Remembers a
 * bounded number of keys; one that is forgotten is tried again. Thread-safe.
 */
final class LoadThrottle {
    private static final int MOST_KEYS = 100_000;

    private final HybridClock clock;
    private final LoadMutant mutant;
    private final Cache<CacheKey, Long> untilMillis =
            Caffeine.newBuilder().maximumSize(MOST_KEYS).executor(Runnable::run).build();

    LoadThrottle(HybridClock clock, LoadMutant mutant) {
        this.clock = clock;
        this.mutant = mutant;
    }

    /** A load did not bring what it should have. */
    void note(CacheKey key, Duration throttle) {
        if (!throttle.isZero() && mutant != LoadMutant.THROTTLE_IGNORED) {
            untilMillis.put(key, clock.millis() + throttle.toMillis());
        }
    }

    /** A load brought something. */
    void forget(CacheKey key) {
        untilMillis.invalidate(key);
    }

    boolean holds(CacheKey key) {
        Long until = untilMillis.getIfPresent(key);
        if (until == null) {
            return false;
        }
        if (clock.millis() < until) {
            return true;
        }
        untilMillis.asMap().remove(key, until);
        return false;
    }
}
