package dev.terrace.failover;

import dev.terrace.config.FailoverSettings;

/**
 * The settings of a {@link Ladder}. All times in milliseconds, at least 1.
 *
 * @param fallback whether L1 and L3 may answer while L2 is away; else the rungs that rest on them are left out
 * @param holdMillis how long signals must ask for a better rung, and the node must have stayed on this one, before it climbs
 * @param longestHoldMillis what that grows to, doubling each time a climb did not last
 * @param readOnlyMillis longest stay on READ_ONLY while the origin could be asked instead
 * @param rejoinMillis longest wait for missed writes to be handed over and for the backplane, before NORMAL
 */
public record LadderRules(
        boolean fallback, long holdMillis, long longestHoldMillis, long readOnlyMillis, long rejoinMillis) {
    /** A climb that lasts less than this many hold-downs did not last. */
    static final int LASTING_HOLDS = 10;

    private static final long LONGEST_HOLD_MILLIS = 60_000;
    private static final long REJOIN_MILLIS = 10_000;

    /** By the settings. */
    public static LadderRules of(FailoverSettings settings) {
        long hold = Math.max(1, settings.holdDown().toMillis());
        return new LadderRules(
                settings.fallbackToLocal(),
                hold,
                Math.max(hold, LONGEST_HOLD_MILLIS),
                settings.readonlyModeTimeout().toMillis(),
                REJOIN_MILLIS);
    }

    /** The longest time for which a node may stay on a worse rung than signals ask for that stay as they are. */
    long longestClimbMillis() {
        // Four steps, each after a hold-down; the last may wait for what was missed.
        return 4 * longestHoldMillis + rejoinMillis;
    }
}
