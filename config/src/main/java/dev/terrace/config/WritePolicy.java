package dev.terrace.config;

import java.time.Duration;

/**
 * How the writes of a cache reach the origin, when it has a writer. See {@code docs/write-policies.md}.
 *
 * @param policy whether and when the writer is called
 * @param timeout longest wait for one call of the writer
 * @param delay behind only: how long a write may wait for others of its key, which replace it
 * @param batch most writes in one call of a writer that takes several
 * @param maxAttempts behind only: failed calls after which a write becomes a dead letter
 * @param backoff behind only: pause after the first failure; doubles with each further one
 * @param longestBackoff behind only: longest such pause
 */
public record WritePolicy(
        Kind policy,
        Duration timeout,
        Duration delay,
        int batch,
        int maxAttempts,
        Duration backoff,
        Duration longestBackoff) {
    /** Whether and when the writer is called. */
    public enum Kind {
        /** Never: whoever writes tells the origin. */
        ASIDE,
        /** Before the tiers, while the caller waits. */
        THROUGH,
        /** Later: the write is in a journal on disk when the caller goes on. */
        BEHIND
    }

    /** Aside; 10 s for a call; no delay; 64 writes in a call; 10 attempts, from 200 ms to 1 minute apart. */
    public static WritePolicy defaults() {
        return new WritePolicy(
                Kind.ASIDE,
                Duration.ofSeconds(10),
                Duration.ZERO,
                64,
                10,
                Duration.ofMillis(200),
                Duration.ofMinutes(1));
    }

    /** The same with another policy. */
    public WritePolicy withPolicy(Kind other) {
        return new WritePolicy(other, timeout, delay, batch, maxAttempts, backoff, longestBackoff);
    }

    /** The same with other attempts and pauses between them. */
    public WritePolicy withRetries(int attempts, Duration first, Duration longest) {
        return new WritePolicy(policy, timeout, delay, batch, attempts, first, longest);
    }

    /** The same with another deadline for a call. */
    public WritePolicy withTimeout(Duration other) {
        return new WritePolicy(policy, other, delay, batch, maxAttempts, backoff, longestBackoff);
    }

    /** The same with another delay and other batches. */
    public WritePolicy withBatches(Duration newDelay, int most) {
        return new WritePolicy(policy, timeout, newDelay, most, maxAttempts, backoff, longestBackoff);
    }
}
