package dev.terrace.node.drill;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How fast what was lost must be back, and how much may be lost.
 *
 * @param rpo most that may be lost when nothing but the repository is left; null for the ship interval and {@link #SHIP_GRACE} more
 * @param serving until a node that was lost reads and writes again
 * @param firstAnswer until the first right answer when everything was lost
 * @param warm until everything is back in L2 and L1
 */
public record Objectives(@Nullable Duration rpo, Duration serving, Duration firstAnswer, Duration warm) {
    /** What may be lost beyond the ship interval. */
    static final Duration SHIP_GRACE = Duration.ofSeconds(1);

    /** Serving in 30 s, first answers in 10 s, warm in 120 s. */
    public static Objectives defaults() {
        return new Objectives(null, Duration.ofSeconds(30), Duration.ofSeconds(10), Duration.ofSeconds(120));
    }

    /** What may be lost, by the settings of the deployment. */
    Duration rpo(Duration shipInterval) {
        return rpo == null ? shipInterval.plus(SHIP_GRACE) : rpo;
    }
}
