package dev.terrace.spi;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Token buckets that a whole fleet takes from. Thread-safe; stages complete normally, within a deadline of the store. A bucket
 * begins full, and is full again after a store has lost it.
 */
public interface RateStore {
    /**
     * Takes up to {@code wanted} tokens, at once or not at all.
     *
     * @param bucket names it
     * @param wanted at least 1
     * @param leave how many must stay in it, for those who matter more; 0 to take what there is
     */
    CompletionStage<Taken> take(String bucket, int wanted, int leave, Rate rate);

    /**
     * How a bucket fills. All who take from a bucket must say the same.
     *
     * @param perSecond tokens a second, at least 1
     * @param burst most that it holds, at least 1
     */
    record Rate(int perSecond, int burst) {
        /** Checks the bounds. */
        public Rate {
            if (perSecond < 1 || burst < 1) {
                throw new IllegalArgumentException("a bucket of " + perSecond + " a second, burst " + burst);
            }
        }
    }

    /** The answer. */
    sealed interface Taken {
        /**
         * So many were there.
         *
         * @param tokens 0 up to what was wanted
         * @param next when another one will be there; zero if there is one
         */
        record Tokens(int tokens, Duration next) implements Taken {}

        /** The store could not say; nothing was taken, or nobody knows. */
        record Unavailable(Unavailability cause, String detail) implements Taken {}
    }
}
