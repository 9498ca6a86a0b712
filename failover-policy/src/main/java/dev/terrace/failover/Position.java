package dev.terrace.failover;

import dev.terrace.api.Rung;
import org.jspecify.annotations.Nullable;

/**
 * Where a {@link Ladder} stands, with all that it remembers. Times are milliseconds of the ladder's clock.
 *
 * @param rung the rung
 * @param sinceMillis when it was reached
 * @param cause why it is there; empty at the start
 * @param betterSinceMillis since when signals have asked for a better rung without a break; {@link #NEVER} while they do not
 * @param holdMillis the hold-down in force
 * @param climbedMillis when it last went up; {@link #NEVER} when never
 * @param readOnlySpent whether the longest stay on READ_ONLY is over, and nothing has improved since
 * @param rejoining whether L2 is written again, though not yet read: all that is left to wait for is what it missed
 * @param pin an order to stay; null without one
 */
public record Position(
        Rung rung,
        long sinceMillis,
        String cause,
        long betterSinceMillis,
        long holdMillis,
        long climbedMillis,
        boolean readOnlySpent,
        boolean rejoining,
        @Nullable Pin pin) {
    /** No time at all. */
    static final long NEVER = Long.MIN_VALUE / 2;

    /**
     * An order to stay on a rung.
     *
     * @param rung where
     * @param untilMillis when it ends by itself
     * @param by who gave it
     * @param why the reason
     */
    public record Pin(Rung rung, long untilMillis, String by, String why) {}

    /** At the start, all is taken for well. */
    public static Position start(LadderRules rules, long nowMillis) {
        return new Position(Rung.NORMAL, nowMillis, "", NEVER, rules.holdMillis(), NEVER, false, false, null);
    }

    /** The same, with an order to stay, or without one. */
    public Position pinned(@Nullable Pin newPin) {
        return new Position(
                rung,
                sinceMillis,
                cause,
                NEVER,
                holdMillis,
                climbedMillis,
                readOnlySpent,
                rejoining && newPin == null,
                newPin);
    }

    Position watching(long newBetterSinceMillis, boolean newReadOnlySpent, boolean newRejoining) {
        return new Position(
                rung,
                sinceMillis,
                cause,
                newBetterSinceMillis,
                holdMillis,
                climbedMillis,
                newReadOnlySpent,
                newRejoining,
                pin);
    }
}
