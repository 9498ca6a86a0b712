package dev.terrace.tier.backup;

import java.util.concurrent.TimeUnit;

/** Waits for threads to end. */
final class ThreadEnd {
    private ThreadEnd() {}

    /** Bounded, so an interrupt does not cut it short: what was accepted is drained, and the flag is kept. True when it has ended. */
    static boolean await(Thread thread, long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        boolean interrupted = false;
        for (long left = millis; thread.isAlive() && left > 0; left = millisUntil(deadline)) {
            try {
                thread.join(left);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !thread.isAlive();
    }

    private static long millisUntil(long deadlineNanos) {
        return TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
    }
}
