package dev.terrace.core;

import java.util.Set;

/**
 * What a warm-up copies and when it stops.
 *
 * @param caches names of the caches to copy; empty for all
 * @param maxEntries most entries to copy
 * @param entriesPerSecond most entries per second, so that live traffic keeps its share
 * @param localToo whether L1 is filled as well as L2
 */
public record WarmupPlan(Set<String> caches, long maxEntries, int entriesPerSecond, boolean localToo) {
    /** Copies the set and checks the numbers. */
    public WarmupPlan {
        caches = Set.copyOf(caches);
        if (maxEntries < 1 || entriesPerSecond < 1) {
            throw new IllegalArgumentException("maxEntries and entriesPerSecond must be at least 1");
        }
    }

    /** Everything, at up to 50,000 entries per second, into L2 and L1. */
    public static WarmupPlan everything() {
        return new WarmupPlan(Set.of(), Long.MAX_VALUE, 50_000, true);
    }
}
