package dev.terrace.config;

import org.jspecify.annotations.Nullable;

/**
 * How the loads of a cache or class reach their origin; null means "as the level above says".
 *
 * @param name the origin's name, by which its settings are found and limits are shared; the cache's name otherwise
 * @param singleFlight how far one load at a time per key reaches
 */
public record OriginPolicy(@Nullable String name, @Nullable SingleFlight singleFlight) {
    /** An origin of the cache's own, one load of all nodes at a time. */
    static final OriginPolicy DEFAULTS = new OriginPolicy(null, SingleFlight.FLEET);

    /** Nothing set. */
    public static final OriginPolicy INHERIT = new OriginPolicy(null, null);

    /** How many may load a key at the same time. */
    public enum SingleFlight {
        /** One of all nodes, while L2 answers. */
        FLEET,
        /** One of every node: for loaders that cost less than two round trips to L2. */
        PROCESS
    }

    /** This one, and {@code below} for what it leaves open. */
    OriginPolicy over(OriginPolicy below) {
        return new OriginPolicy(
                name != null ? name : below.name, singleFlight != null ? singleFlight : below.singleFlight);
    }
}
