package dev.terrace.core;

import java.time.Duration;

/**
 * How far a warm-up is.
 *
 * @param read entries read from L3, that are wanted
 * @param copied entries that L2, or L1 where there is no L2, holds now because of it
 * @param superseded entries that were not needed: something as new was there
 * @param failed entries that L2 did not take
 * @param doubted entries that were left alone because another node may have replaced them
 * @param bytes bytes of the entries copied, as tiers hold them
 * @param total entries that L3 may hold, or -1 when it does not know
 * @param parts parts of L3 that are finished, by whichever node
 * @param allParts parts that L3 is divided into
 * @param entriesPerSecond how fast it may go now: less than the plan says while it yields
 * @param elapsed time since it began
 */
public record WarmupProgress(
        long read,
        long copied,
        long superseded,
        long failed,
        long doubted,
        long bytes,
        long total,
        int parts,
        int allParts,
        int entriesPerSecond,
        Duration elapsed) {}
