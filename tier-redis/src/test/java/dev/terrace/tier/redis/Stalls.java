package dev.terrace.tier.redis;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Notices how long the machine kept this process from running while something was measured: a thread that asks to be woken every
 * few milliseconds and adds up how much later it was. What waits for a deadline is late by no less.
 */
final class Stalls {
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Thread thread = new Thread(this::watch, "stalls");
    private volatile boolean ended;
    private volatile long stalledNanos;

    Stalls() {
        thread.setDaemon(true);
        thread.start();
    }

    private void watch() {
        long total = 0;
        while (!ended) {
            long begin = System.nanoTime();
            LockSupport.parkNanos(STEP_NANOS);
            long late = System.nanoTime() - begin - STEP_NANOS;
            total += late > STEP_NANOS ? late : 0;
            stalledNanos = total;
        }
    }

    /** Ends the watch; how many milliseconds were lost. */
    long end() {
        ended = true;
        return TimeUnit.NANOSECONDS.toMillis(stalledNanos);
    }
}
