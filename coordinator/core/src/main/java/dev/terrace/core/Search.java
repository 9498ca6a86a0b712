package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import org.jspecify.annotations.Nullable;

/**
 * One key of a bulk read on its way through the tiers. Not thread-safe: the stages that work on it follow one another.
 *
 * @param <K> the caller's keys
 */
final class Search<K> {
    final CacheKey key;
    final K original;

    /** The best that the tiers asked so far hold. */
    Found best = Found.NOTHING;

    /** Null while L1's answer is enough. */
    @Nullable
    Flight flight;

    Search(CacheKey key, K original) {
        this.key = key;
        this.original = original;
    }
}
