package dev.terrace.replication;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Where the protocols get time from, and everything that happens later. */
public interface Timing {
    /** Monotonic nanoseconds from an arbitrary origin. */
    long nanos();

    /** Runs {@code task} after {@code delayMillis}, unless everything is closed by then. */
    void after(long delayMillis, Runnable task);

    /** Real time; {@code timer} stays the caller's to shut down, which ends what is scheduled. */
    static Timing real(ScheduledExecutorService timer) {
        return new Timing() {
            @Override
            public long nanos() {
                return System.nanoTime();
            }

            @Override
            public void after(long delayMillis, Runnable task) {
                try {
                    timer.schedule(task, delayMillis, TimeUnit.MILLISECONDS);
                } catch (RejectedExecutionException closed) {
                    // As promised: nothing happens after closing.
                    return;
                }
            }
        };
    }
}
