package dev.terrace.benchmarks;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** When a harness does what. */
final class Pace {
    /** A parked thread wakes up about this much late, so calls are made this much early. */
    private static final long EARLY_NANOS = 50_000;

    private static final long WORTH_PARKING_NANOS = 60_000;
    private static final long LOOK_NANOS = 1_000_000;

    private Pace() {}

    /** Waits until {@code dueNanos} of {@link System#nanoTime}: what is open loop keeps its rate, whatever the answers take. */
    static void until(long dueNanos) {
        for (long left = dueNanos - System.nanoTime();
                left > WORTH_PARKING_NANOS;
                left = dueNanos - System.nanoTime()) {
            LockSupport.parkNanos(left - EARLY_NANOS);
        }
    }

    /** Lets the machine come to rest, so that what was prepared is not measured. */
    static void rest(Duration time) {
        until(System.nanoTime() + time.toNanos());
    }

    /** Waits until {@code condition} holds, {@code most} at the longest; what counts it must not be slowed by being asked. */
    static void await(BooleanSupplier condition, Duration most) {
        long until = System.nanoTime() + most.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() - until < 0) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }
}
