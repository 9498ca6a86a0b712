package dev.terrace.spi;

import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A wall clock that does not go back when the machine's is set back by more than {@value #STEP_MILLIS} ms: it goes on from where
 * it was, and is right again when the machine's is set right or the process starts anew. So what a node writes does not look
 * expired to all others, and what it holds does not live longer. Set ahead, it follows: that is what a machine that slept looks
 * like. Thread-safe; reading allocates nothing.
 */
public final class SteadyClock implements InstantSource {
    /** Smaller steps are those of time servers. */
    public static final long STEP_MILLIS = 1_000;

    private final InstantSource wall;
    private final LongSupplier nanos;
    private volatile long lastMillis;
    private volatile long lastNanos;
    private volatile long offsetMillis;

    /** Follows {@code wall}. */
    public SteadyClock(InstantSource wall) {
        this(wall, System::nanoTime);
    }

    /** @param nanos a clock that nobody can set */
    SteadyClock(InstantSource wall, LongSupplier nanos) {
        this.wall = wall;
        this.nanos = nanos;
        this.lastMillis = wall.millis();
        this.lastNanos = nanos.getAsLong();
    }

    @Override
    public long millis() {
        long now = wall.millis();
        long step = now - lastMillis;
        if (step >= STEP_MILLIS || step <= -STEP_MILLIS) {
            return stepped(now);
        }
        if (step > 0) {
            // Readers race here by a millisecond or two, which is far from a step.
            lastNanos = nanos.getAsLong();
            lastMillis = now;
        }
        return now + offsetMillis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }

    /** Nobody looked for a while, or the clock was set. */
    private synchronized long stepped(long now) {
        long at = nanos.getAsLong();
        long jump = now - lastMillis - TimeUnit.NANOSECONDS.toMillis(at - lastNanos);
        if (jump <= -STEP_MILLIS) {
            offsetMillis -= jump;
        } else if (jump >= STEP_MILLIS) {
            offsetMillis = Math.max(0, offsetMillis - jump);
        }
        lastNanos = at;
        lastMillis = now;
        return now + offsetMillis;
    }
}
