package dev.terrace.core;

import java.time.Duration;

/**
 * How far a warm-up is.
 *
 * @param read entries read from L3
 * @param copied entries that L2, or L1 where there is no L2, holds now because of it
 * @param superseded entries that were not needed: something as new was there
 * @param failed entries that L2 did not take
 * @param total entries that L3 holds, or -1 when it does not know
 * @param elapsed time since it began
 */
public record WarmupProgress(long read, long copied, long superseded, long failed, long total, Duration elapsed) {}
