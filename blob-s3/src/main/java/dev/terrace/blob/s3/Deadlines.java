package dev.terrace.blob.s3;

import java.time.Duration;

/**
 * How long calls may take: the setting for what is small, longer for what carries bytes.
 *
 * @param timeout of a small call, retries included
 * @param mostBytesPerSecond the limit that callers are held to; 0 for none
 */
record Deadlines(Duration timeout, long mostBytesPerSecond) {
    /** Slower than this is as good as dead. */
    private static final long LEAST_BYTES_PER_SECOND = 256 << 10;

    private static final Duration SHORTEST_ATTEMPT = Duration.ofMillis(100);

    /** Of a call with all its retries. */
    Duration call(long bytes) {
        return timeout.plusSeconds(bytes / LEAST_BYTES_PER_SECOND);
    }

    /** Of one attempt: three fit, so that one that hangs leaves time for others. */
    Duration attempt(long bytes) {
        Duration third = call(bytes).dividedBy(3);
        return third.compareTo(SHORTEST_ATTEMPT) < 0 ? SHORTEST_ATTEMPT : third;
    }

    /** Of the whole of a write that waits for its turn beside others, and for the limit. */
    Duration turn(long bytes) {
        long share = LEAST_BYTES_PER_SECOND / 4;
        if (mostBytesPerSecond > 0) {
            share = Math.max(1, Math.min(share, mostBytesPerSecond / 16));
        }
        return call(bytes).plus(timeout).plusSeconds(bytes / share);
    }
}
