package dev.terrace.config;

import java.time.Duration;

/**
 * How tiers are warmed up from L3, and what is noted for it.
 *
 * @param onStart whether a node begins a warm-up as soon as it serves
 * @param entriesPerSecond most entries per second
 * @param maxMemoryMib most memory of what is under way, in MiB
 * @param yieldAbove a warm-up slows down while calls of tiers take longer than this on average; zero lets it never yield
 * @param heatKeys how many of the most read keys are noted in L3 and L2, to be warmed up first; 0 for none
 * @param heatInterval pause between two notes
 */
public record WarmupSettings(
        boolean onStart,
        int entriesPerSecond,
        int maxMemoryMib,
        Duration yieldAbove,
        int heatKeys,
        Duration heatInterval) {
    /** Not at start, 50,000 entries per second, 256 MiB, yields above 5 ms, notes 5,000 keys every 5 minutes. */
    public static WarmupSettings defaults() {
        return new WarmupSettings(false, 50_000, 256, Duration.ofMillis(5), 5_000, Duration.ofMinutes(5));
    }

    /** The same, at start or not. */
    public WarmupSettings withOnStart(boolean other) {
        return new WarmupSettings(other, entriesPerSecond, maxMemoryMib, yieldAbove, heatKeys, heatInterval);
    }

    /** The same with other notes. */
    public WarmupSettings withHeat(int keys, Duration interval) {
        return new WarmupSettings(onStart, entriesPerSecond, maxMemoryMib, yieldAbove, keys, interval);
    }
}
