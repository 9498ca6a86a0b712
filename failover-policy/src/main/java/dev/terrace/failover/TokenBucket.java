package dev.terrace.failover;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A token bucket: in any span of time it gives no more than the rate times the span, and the burst. By the generic cell rate
 * algorithm (ITU-T I.371): all that is kept is when the bucket will be full. Thread-safe.
 *
 * <p>Not a limiter by cycles, such as Resilience4j's, which gives twice its limit around the end of a cycle.
 */
public final class TokenBucket {
    private final LongSupplier nanos;
    private long fullAt;

    /** Begins full. */
    public TokenBucket(LongSupplier nanos) {
        this.nanos = nanos;
        this.fullAt = nanos.getAsLong();
    }

    /**
     * Takes a token.
     *
     * @param perSecond tokens a second; may change from call to call
     * @param burst most that it holds
     * @param leave how many must stay in it, for those who matter more
     * @return zero when it was taken; else when to try again
     */
    public synchronized Duration take(double perSecond, int burst, int leave) {
        long now = nanos.getAsLong();
        long each = Math.max(1, Math.round(TimeUnit.SECONDS.toNanos(1) / perSecond));
        long deep = each * burst;
        // What is left to fill is never more than the whole bucket, should the rate have been lower a moment ago.
        long toFill = Math.min(Math.max(fullAt - now, 0), deep);
        long lacking = toFill + each * (leave + 1L) - deep;
        if (lacking > 0) {
            return Duration.ofNanos(lacking);
        }
        fullAt = now + toFill + each;
        return Duration.ZERO;
    }
}
