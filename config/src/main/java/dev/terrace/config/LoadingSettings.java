package dev.terrace.config;

import java.time.Duration;

/**
 * Bounds on loaders.
 *
 * @param timeout how long a loader may take before it is interrupted
 * @param threads most loaders that run at once for callers who wait; a quarter as many run besides for refreshes in the background
 * @param waiters most callers that wait for loaders at once
 */
public record LoadingSettings(Duration timeout, int threads, int waiters) {
    /** The number of waiters when none is set. */
    public static final int DEFAULT_WAITERS = 100_000;

    /** With the usual number of waiters. */
    public LoadingSettings(Duration timeout, int threads) {
        this(timeout, threads, DEFAULT_WAITERS);
    }

    /** How many refreshes run at once in the background. */
    public int backgroundThreads() {
        return Math.max(1, threads / 4);
    }

    /** 10 seconds, 64 threads, 100,000 waiters. */
    public static LoadingSettings defaults() {
        return new LoadingSettings(Duration.ofSeconds(10), 64);
    }
}
