package dev.terrace.testkit.history;

import java.time.Duration;
import java.util.Objects;

/**
 * What a check may cost before it answers "undecided". Immutable.
 *
 * @param time how long it may look for an answer, all keys together; making a counter-example small may take as long again
 * @param memoryBytes about how much it may remember, per key
 */
public record CheckLimits(Duration time, long memoryBytes) {
    /** A minute and 256 MiB. */
    public static final CheckLimits DEFAULT = new CheckLimits(Duration.ofMinutes(1), 256L << 20);

    /** Checks that both are positive. */
    public CheckLimits {
        Objects.requireNonNull(time, "time");
        if (time.isNegative() || time.isZero() || memoryBytes <= 0) {
            throw new IllegalArgumentException("limits must be positive: " + time + ", " + memoryBytes + " bytes");
        }
    }
}
