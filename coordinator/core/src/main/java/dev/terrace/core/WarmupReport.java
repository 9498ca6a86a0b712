package dev.terrace.core;

/**
 * How a warm-up ended.
 *
 * @param progress the final numbers
 * @param outcome why it ended
 */
public record WarmupReport(WarmupProgress progress, Outcome outcome) {
    /** Why a warm-up ended. */
    public enum Outcome {
        /** All entries of L3 were looked at, by this node or by others that share the work. */
        EXHAUSTED,
        /** The plan's number of entries was reached. */
        REACHED_LIMIT,
        /** The plan's number of bytes was reached. */
        REACHED_BYTES,
        /** L1 and L2 answer as large a share of the reads as the plan wants. */
        REACHED_HIT_RATIO,
        /** The plan's time is over. */
        REACHED_TIME,
        /** L1 is full, and there is no L2. */
        LOCAL_FULL,
        /** L2 took nothing for half a minute. */
        REMOTE_AWAY,
        /** The thread was interrupted, or the coordinator closed. */
        STOPPED
    }
}
