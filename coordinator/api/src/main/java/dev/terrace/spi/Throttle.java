package dev.terrace.spi;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A limit on bytes per second, shared by all who ask: each is given a time at which it may go, behind those before it. Nothing is saved up while nobody
 * asks. Thread-safe.
 */
public final class Throttle {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final long bytesPerSecond;
    private final LongSupplier nanos;
    private long next;

    /**
     * Begins now.
     *
     * @param bytesPerSecond no limit when 0
     * @param nanos a clock such as {@link System#nanoTime}
     */
    public Throttle(long bytesPerSecond, LongSupplier nanos) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanos = nanos;
        next = nanos.getAsLong();
    }

    /** How many nanoseconds whoever moves so many bytes must wait first. */
    public synchronized long reserve(long bytes) {
        if (bytesPerSecond == 0) {
            return 0;
        }
        long now = nanos.getAsLong();
        if (next - now < 0) {
            next = now;
        }
        long wait = next - now;
        next += (long) ((double) bytes / bytesPerSecond * SECOND);
        return wait;
    }

    /** Waits as long as needed. */
    public void take(long bytes) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(reserve(bytes));
    }
}
