package dev.terrace.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What can be set per cache and per class; null means "as the level above says".
 *
 * @param ttl time for which a value is fresh
 * @param staleTtl further time for which it may be answered, flagged stale, when the loader fails
 * @param negativeTtl time for which "the origin has no such value" is believed; zero asks every time
 * @param durable whether a write waits for L3's log
 */
public record CachePolicy(
        @Nullable Duration ttl,
        @Nullable Duration staleTtl,
        @Nullable Duration negativeTtl,
        @Nullable Boolean durable) {
    /** Nothing set. */
    public static final CachePolicy INHERIT = new CachePolicy(null, null, null, null);
}
