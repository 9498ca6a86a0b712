package dev.terrace.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * How fast a warm-up may go: at most as fast as its plan says, and less while callers wait. The rule, ten times a second: when calls of L2 and
 * L3 made for callers took longer than the limit on average, or more than {@value #MANY_OPERATIONS} operations are under way, the rate is
 * halved, down to {@value #LEAST_PER_SECOND} entries per second or what the plan says; otherwise it grows by a quarter, back to the plan's.
 * Halving ends a jam sooner than it came about.
 * Thread-safe.
 */
final class WarmupPace {
    static final int MANY_OPERATIONS = 256;
    static final int LEAST_PER_SECOND = 200;
    private static final long LONGEST_PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final double most;
    private final long yieldAboveNanos;
    private final LongSupplier nanos;
    private volatile double perSecond;

    /** When the next entry may go. */
    private long due;

    WarmupPace(int entriesPerSecond, long yieldAboveNanos, LongSupplier nanos) {
        this.most = entriesPerSecond;
        this.yieldAboveNanos = yieldAboveNanos;
        this.nanos = nanos;
        this.perSecond = entriesPerSecond;
        this.due = nanos.getAsLong();
    }

    /** Sees how callers fare, and goes slower or faster. */
    void heed(Foreground.Since since) {
        if (yieldAboveNanos == 0) {
            return;
        }
        boolean slow = since.calls() > 0 && since.nanos() / since.calls() > yieldAboveNanos;
        perSecond = slow || since.operations() > MANY_OPERATIONS
                ? Math.max(Math.min(most, LEAST_PER_SECOND), perSecond / 2)
                : Math.min(most, perSecond * 1.25);
    }

    int entriesPerSecond() {
        return (int) Math.round(perSecond);
    }

    /** So many entries at a time that what is put together in one batch is a small part of a second. */
    int batch(int most) {
        return (int) Math.max(1, Math.min(most, perSecond / 20));
    }

    /** Waits until {@code entries} may go; false when it was told to stop before. */
    boolean await(int entries, BooleanSupplier stopped) {
        long mine = reserve(entries);
        for (long early = mine - nanos.getAsLong(); early > 0; early = mine - nanos.getAsLong()) {
            if (stopped.getAsBoolean()) {
                return false;
            }
            LockSupport.parkNanos(Math.min(early, LONGEST_PARK_NANOS));
        }
        return !stopped.getAsBoolean();
    }

    private synchronized long reserve(int entries) {
        // What was not used is not made up for: that would be a burst.
        long now = nanos.getAsLong();
        long from = due - now > 0 ? due : now;
        due = from + (long) (entries * 1e9 / perSecond);
        return from;
    }
}
