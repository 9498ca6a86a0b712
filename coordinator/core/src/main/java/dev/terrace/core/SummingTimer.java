package dev.terrace.core;

import com.codahale.metrics.LockFreeExponentiallyDecayingReservoir;
import com.codahale.metrics.Timer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** A timer that also says what all calls took together, so that two looks give the mean of what lies between them. Thread-safe. */
final class SummingTimer extends Timer {
    private final LongAdder nanos = new LongAdder();

    /** Without the lock of the usual reservoir, which would cost more than the rest of a guarded call. */
    SummingTimer() {
        super(LockFreeExponentiallyDecayingReservoir.builder().build());
    }

    @Override
    public void update(long duration, TimeUnit unit) {
        super.update(duration, unit);
        nanos.add(unit.toNanos(duration));
    }

    long totalNanos() {
        return nanos.sum();
    }
}
