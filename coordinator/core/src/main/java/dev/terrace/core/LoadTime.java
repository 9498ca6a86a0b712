package dev.terrace.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** How long loads of one cache take, the last ones counting most. Thread-safe. */
final class LoadTime {
    private static final int WEIGHT = 8;
    private final AtomicLong meanNanos = new AtomicLong();

    /** One that succeeded. */
    void note(long nanos) {
        meanNanos.getAndUpdate(mean -> mean == 0 ? nanos : mean + (nanos - mean) / WEIGHT);
    }

    /** Zero before the first one. */
    long meanMillis() {
        return TimeUnit.NANOSECONDS.toMillis(meanNanos.get());
    }
}
