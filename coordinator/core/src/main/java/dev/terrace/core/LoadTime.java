package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * How long loads of one cache take: of the keys that were loaded by themselves lately, and of all, the last ones counting most. Keys
 * share a table of fixed size, in which the later one takes a place; a key that has none counts as an average one. Thread-safe.
 */
final class LoadTime {
    private static final int WEIGHT = 8;

    /** A power of two. */
    private static final int PLACES = 1_024;

    /** A place holds microseconds, and above them what is left of the key's hash. */
    private static final int TIME_BITS = 40;

    private static final long TIME_MASK = (1L << TIME_BITS) - 1;

    private final AtomicLong meanNanos = new AtomicLong();
    private final AtomicLong mostNanos = new AtomicLong();
    private final @Nullable AtomicLongArray places;

    /** @param byKey whether somebody will ask for single keys */
    LoadTime(boolean byKey) {
        this.places = byKey ? new AtomicLongArray(PLACES) : null;
    }

    /** One that succeeded, of one key or many. */
    void note(long nanos) {
        meanNanos.getAndUpdate(mean -> mean == 0 ? nanos : mean + (nanos - mean) / WEIGHT);
        // Falls slowly: what bounds the search for what is due must not forget the slow ones between two of their
        // loads.
        mostNanos.getAndUpdate(most -> Math.max(nanos, most - most / 1_024));
    }

    /** As {@link #note(long)}, of this key alone. */
    void note(CacheKey key, long nanos) {
        note(nanos);
        if (places == null) {
            return;
        }
        long spread = spread(key);
        int place = place(spread);
        long known = micros(places.get(place), spread);
        long micros = Math.min(TIME_MASK, TimeUnit.NANOSECONDS.toMicros(nanos) + 1);
        // A key is loaded seldom: the last time says more than one of many.
        long next = known == 0 ? micros : known + (micros - known) / 2;
        places.set(place, (spread & ~TIME_MASK) | next);
    }

    private static long spread(CacheKey key) {
        return key.hashCode() * 0x9E3779B97F4A7C15L;
    }

    private static int place(long spread) {
        return (int) (spread >>> (TIME_BITS - 10)) & (PLACES - 1);
    }

    /** Zero when the place is another key's. */
    private static long micros(long held, long spread) {
        return (held & ~TIME_MASK) == (spread & ~TIME_MASK) ? held & TIME_MASK : 0;
    }

    /** Of all keys; zero before the first one. */
    long meanMillis() {
        return TimeUnit.NANOSECONDS.toMillis(meanNanos.get());
    }

    /** Of this key, or of all where nothing is known of it. */
    long millisOf(CacheKey key) {
        long spread = spread(key);
        long micros = places == null ? 0 : micros(places.get(place(spread)), spread);
        return micros == 0 ? meanMillis() : TimeUnit.MICROSECONDS.toMillis(micros);
    }

    /** About the longest lately: no key's is above it for long. */
    long mostMillis() {
        return TimeUnit.NANOSECONDS.toMillis(mostNanos.get());
    }
}
