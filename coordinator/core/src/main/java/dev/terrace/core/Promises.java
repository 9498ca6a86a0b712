package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.time.Duration;

/** Which promise holds for which key. Thread-safe. */
interface Promises {
    /** Everything is eventual. */
    Promises EVENTUAL = new Promises() {
        @Override
        public Promise of(String cache, CacheKey key) {
            return Promise.EVENTUAL;
        }

        @Override
        public Promise tightest(String cache) {
            return Promise.EVENTUAL;
        }

        @Override
        public Promise tightest() {
            return Promise.EVENTUAL;
        }

        @Override
        public Duration lease() {
            return Promise.LEASE;
        }
    };

    /** That of one key. */
    Promise of(String cache, CacheKey key);

    /** The hardest to keep of all that may hold for keys of {@code cache}. */
    Promise tightest(String cache);

    /** The hardest to keep of all. */
    Promise tightest();

    /** The longest lease of all strict ones, {@link Promise#LEASE} without any. */
    Duration lease();
}
