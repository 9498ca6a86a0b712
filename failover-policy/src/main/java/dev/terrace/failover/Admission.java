package dev.terrace.failover;

import java.time.Duration;

/** Whether a load may go to its origin. */
public sealed interface Admission {
    /** It may, and must say once how it ended. Thread-safe; what is said after the first time counts for nothing. */
    non-sealed interface Pass extends Admission {
        /** The origin answered. */
        void succeeded();

        /**
         * It failed, or was given up.
         *
         * @param key names what was asked for: one key that always fails is no sign that the origin does
         */
        void failed(int key);

        /**
         * It has taken too long and nobody waits for it any more, but it goes on all the same. The breaker is told now, because the
         * call may never end; its place is kept until it does, and one of the others is still to be said then.
         *
         * @param key as for {@link #failed}
         */
        void givenUp(int key);

        /** It was not called. */
        void unused();
    }

    /**
     * It may not.
     *
     * @param limit which limit stood against it
     * @param why in words, with the limit's value
     * @param retryAfter when another attempt makes sense
     */
    record Refusal(Limit limit, String why, Duration retryAfter) implements Admission {}

    /** What may stand against a load. */
    enum Limit {
        /** Too many calls are under way, and too many wait. */
        CONCURRENCY,
        /** Too many calls this second by this node. */
        RATE,
        /** Too many calls this second by all nodes. */
        FLEET_RATE,
        /** The origin failed too often, or was too slow. */
        BREAKER
    }
}
