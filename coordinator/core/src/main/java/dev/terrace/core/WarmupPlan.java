package dev.terrace.core;

import dev.terrace.config.WarmupSettings;
import java.time.Duration;
import java.util.Set;

/**
 * What a warm-up copies, how fast, and when it stops: at the first target that is reached. Targets count what this node does.
 *
 * @param caches names of the caches to copy; empty for all
 * @param maxEntries most entries to copy
 * @param maxBytes most bytes to copy, of entries as tiers hold them
 * @param hitRatio stops when L1 and L2 answer this share of the reads, above 0 and at most 1; 0 for no such target
 * @param maxTime longest duration
 * @param entriesPerSecond most entries per second
 * @param yieldAboveNanos it slows down while callers' calls of L2 and L3 take longer than this on average; 0 to never yield
 * @param localToo whether L1 is filled as well as L2, as long as it has room
 * @param shared whether the nodes of a fleet divide the work among them, where L2 can settle who does what
 * @param trustsBackup whether caches that promise more than eventual consistency take entries that this node cannot know to be the
 *     newest: right after a total loss, when nobody can know better
 * @param memoryBytes most memory of what is under way
 */
public record WarmupPlan(
        Set<String> caches,
        long maxEntries,
        long maxBytes,
        double hitRatio,
        Duration maxTime,
        int entriesPerSecond,
        long yieldAboveNanos,
        boolean localToo,
        boolean shared,
        boolean trustsBackup,
        long memoryBytes) {
    /** The longest that a warm-up may be told to take. */
    public static final Duration LONGEST = Duration.ofDays(365);

    /** Copies the set and checks the numbers. */
    public WarmupPlan {
        caches = Set.copyOf(caches);
        if (maxEntries < 1 || maxBytes < 1 || entriesPerSecond < 1 || yieldAboveNanos < 0 || memoryBytes < 1) {
            throw new IllegalArgumentException("maxEntries " + maxEntries + ", maxBytes " + maxBytes
                    + ", entriesPerSecond " + entriesPerSecond + " and memoryBytes " + memoryBytes
                    + " must be at least 1, yieldAboveNanos " + yieldAboveNanos + " at least 0");
        }
        if (!(hitRatio >= 0 && hitRatio <= 1)) {
            throw new IllegalArgumentException("hitRatio " + hitRatio + " must be from 0 to 1");
        }
        if (maxTime.isNegative() || maxTime.isZero() || maxTime.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("maxTime " + maxTime + " must be above zero and at most " + LONGEST);
        }
    }

    /** Some caches, up to so many entries, at most so many per second; all else as {@link #everything()}. */
    public WarmupPlan(Set<String> caches, long maxEntries, int entriesPerSecond, boolean localToo) {
        this(
                caches,
                maxEntries,
                Long.MAX_VALUE,
                0,
                LONGEST,
                entriesPerSecond,
                WarmupSettings.defaults().yieldAbove().toNanos(),
                localToo,
                true,
                false,
                (long) WarmupSettings.defaults().maxMemoryMib() << 20);
    }

    /** Everything, by the default settings, into L2 and L1. */
    public static WarmupPlan everything() {
        return everything(WarmupSettings.defaults());
    }

    /** Everything, as fast and with as much memory as {@code settings} say. */
    public static WarmupPlan everything(WarmupSettings settings) {
        return new WarmupPlan(
                Set.of(),
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                0,
                LONGEST,
                settings.entriesPerSecond(),
                settings.yieldAbove().toNanos(),
                true,
                true,
                false,
                (long) settings.maxMemoryMib() << 20);
    }

    /** The same, by this node alone. */
    public WarmupPlan alone() {
        return new WarmupPlan(
                caches,
                maxEntries,
                maxBytes,
                hitRatio,
                maxTime,
                entriesPerSecond,
                yieldAboveNanos,
                localToo,
                false,
                trustsBackup,
                memoryBytes);
    }

    boolean wants(String cache) {
        return (caches.isEmpty() || caches.contains(cache)) && !cache.startsWith(Markers.RESERVED_PREFIX);
    }
}
