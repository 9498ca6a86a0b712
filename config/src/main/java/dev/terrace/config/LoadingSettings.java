package dev.terrace.config;

import java.time.Duration;

/**
 * Bounds on loaders.
 *
 * @param timeout longest wait for a loader
 * @param threads most loaders that run at once
 */
public record LoadingSettings(Duration timeout, int threads) {
    /** 10 seconds, 64 threads. */
    public static LoadingSettings defaults() {
        return new LoadingSettings(Duration.ofSeconds(10), 64);
    }
}
