package dev.terrace.config;

import java.time.Duration;

/**
 * Bounds on what callers may pass, and on clocks.
 *
 * @param maxKeyBytes longest key
 * @param maxValueBytes longest encoded value
 * @param maxClockDrift how far ahead of this node's clock a version may be
 * @param tombstoneRetention how long an invalidation is remembered; longer than any load may take
 * @param closeTimeout longest time that closing may take
 */
public record LimitSettings(
        int maxKeyBytes,
        int maxValueBytes,
        Duration maxClockDrift,
        Duration tombstoneRetention,
        Duration closeTimeout) {
    /** 1 KiB keys, 1 MiB values, 1 minute of drift, 10 minutes, 10 seconds. */
    public static LimitSettings defaults() {
        return new LimitSettings(1024, 1 << 20, Duration.ofMinutes(1), Duration.ofMinutes(10), Duration.ofSeconds(10));
    }
}
