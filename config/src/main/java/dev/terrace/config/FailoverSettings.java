package dev.terrace.config;

import java.time.Duration;

/**
 * What happens when tiers are lost.
 *
 * @param strategy how to step down
 * @param fallbackToLocal whether L1 and L3 answer while L2 is away
 * @param readonlyModeTimeout longest time in READ_ONLY before reads go straight to the loader
 * @param directRequestTimeout deadline of such a direct request
 * @param holdDown how long all must be well before a node steps up again
 * @param probeInterval time between two health checks of a tier
 */
public record FailoverSettings(
        Strategy strategy,
        boolean fallbackToLocal,
        Duration readonlyModeTimeout,
        Duration directRequestTimeout,
        Duration holdDown,
        Duration probeInterval) {
    /** How to step down. */
    public enum Strategy {
        /** Rung by rung. */
        GRACEFUL_DEGRADATION
    }

    /** With the default hold-down and interval. */
    public FailoverSettings(
            Strategy strategy, boolean fallbackToLocal, Duration readonlyModeTimeout, Duration directRequestTimeout) {
        this(
                strategy,
                fallbackToLocal,
                readonlyModeTimeout,
                directRequestTimeout,
                Duration.ofSeconds(2),
                Duration.ofMillis(500));
    }

    /** Rung by rung, 5 minutes, 10 seconds; up after 2 seconds, checks each half second. */
    public static FailoverSettings defaults() {
        return new FailoverSettings(Strategy.GRACEFUL_DEGRADATION, true, Duration.ofMinutes(5), Duration.ofSeconds(10));
    }
}
