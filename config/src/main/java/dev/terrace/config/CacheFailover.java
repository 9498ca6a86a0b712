package dev.terrace.config;

/**
 * How far one cache steps down with its node.
 *
 * @param maxRung the worst rung it goes to: when the node stands on a worse one, the cache goes on as on this one
 * @param neverStale whether it answers nothing rather than what is known not to be fresh, or not known to be
 */
public record CacheFailover(MaxRung maxRung, boolean neverStale) {
    /** All the way down; stale where {@code stale_ttl} allows it. */
    public static final CacheFailover DEFAULTS = new CacheFailover(MaxRung.REJECT, false);

    /** The rungs below the first, which no cache can keep on its own, under their names. */
    public enum MaxRung {
        /** Writes go on although they may not be kept for L2, reads go on from L1 and L3. */
        LOCAL_ONLY,
        /** Writes are refused, reads go on from L1 and L3. */
        READ_ONLY,
        /** The origin is asked even if it is known to be away. */
        DIRECT,
        /** All the way down. */
        REJECT
    }
}
