package dev.terrace.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** A wall clock that moves only when told to. Thread-safe. */
public final class ManualClock implements InstantSource {
    private final AtomicLong millis;

    /** Starts at the given milliseconds since the epoch. */
    public ManualClock(long startMillis) {
        millis = new AtomicLong(startMillis);
    }

    /** Starts at the present, so that servers with clocks of their own agree about expiry. */
    public static ManualClock startingNow() {
        return new ManualClock(InstantSource.system().millis());
    }

    /** Moves on, or back when {@code step} is negative. */
    public void advance(Duration step) {
        millis.addAndGet(step.toMillis());
    }

    @Override
    public long millis() {
        return millis.get();
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }
}
