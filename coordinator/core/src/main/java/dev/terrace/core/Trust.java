package dev.terrace.core;

import dev.terrace.spi.CacheKey;

/** Whether copies of one cache on this node may be answered as fresh now. Thread-safe; allocates nothing. */
final class Trust {
    private final Coherence coherence;
    private final Promises promises;
    private final String cache;
    private final boolean always;
    private final long tightestNanos;

    /**
     * @param alone true when no other process writes what this one holds
     */
    Trust(Coherence coherence, Promises promises, String cache, boolean alone) {
        this.coherence = coherence;
        this.promises = promises;
        this.cache = cache;
        this.tightestNanos = promises.tightest(cache).boundNanos();
        this.always = alone || promises.tightest(cache).isEventual();
    }

    /** As {@link Coherence#trustedUntil}, for any key of the cache; whoever is refused asks {@link #of}. */
    long until() {
        return always ? Long.MAX_VALUE : coherence.trustedUntil(tightestNanos);
    }

    /** For one key, by the promise of its class. */
    boolean of(CacheKey key) {
        if (always) {
            return true;
        }
        Promise promise = promises.of(cache, key);
        return promise.isEventual() || coherence.isTrusted(promise.boundNanos());
    }

    /** True when copies of {@code key} are trusted whatever was or was not heard. */
    boolean isUnconditional(CacheKey key) {
        return always || promises.of(cache, key).isEventual();
    }

    /** True when writers wait until no node trusts an older copy; of the whole cache. */
    boolean isStrict() {
        return promises.tightest(cache).isStrict();
    }

    /** The hardest to keep of what the cache promises. */
    Promise tightest() {
        return promises.tightest(cache);
    }

    /** What the class of {@code key} promises. */
    Promise promise(CacheKey key) {
        return promises.of(cache, key);
    }

    /** How old may be what others on this node are finding out about {@code key}, for whoever asks now. */
    long shareNanos(CacheKey key) {
        if (of(key)) {
            return Flights.ANY_AGE;
        }
        Promise promise = promise(key);
        return promise.isStrict() ? 0 : promise.boundNanos();
    }
}
