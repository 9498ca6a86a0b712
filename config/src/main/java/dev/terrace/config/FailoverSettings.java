package dev.terrace.config;

import java.time.Duration;

/**
 * What happens when tiers are lost.
 *
 * @param strategy how to step down
 * @param fallbackToLocal whether L1 and L3 answer while L2 is away
 * @param readonlyModeTimeout longest time in READ_ONLY before reads go straight to the loader
 * @param directRequestTimeout deadline of such a direct request
 */
public record FailoverSettings(
        Strategy strategy, boolean fallbackToLocal, Duration readonlyModeTimeout, Duration directRequestTimeout) {
    /** How to step down. */
    public enum Strategy {
        /** Rung by rung. */
        GRACEFUL_DEGRADATION
    }

    /** Rung by rung, 5 minutes, 10 seconds. */
    public static FailoverSettings defaults() {
        return new FailoverSettings(Strategy.GRACEFUL_DEGRADATION, true, Duration.ofMinutes(5), Duration.ofSeconds(10));
    }
}
