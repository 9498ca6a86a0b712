package dev.terrace.blob.s3;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A limit on bytes per second, shared by all who ask: each is given a time at which it may go, behind those before it. Nothing is saved up while nobody
 * asks. Thread-safe.
 */
final class Throttle {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final long bytesPerSecond;
    private final LongSupplier nanos;
    private long next;

    /** No limit when {@code bytesPerSecond} is 0. */
    Throttle(long bytesPerSecond, LongSupplier nanos) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanos = nanos;
        next = nanos.getAsLong();
    }

    /** How long whoever moves so many bytes must wait first. */
    synchronized long reserve(long bytes) {
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
    void take(long bytes) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(reserve(bytes));
    }
}
