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
        /** L3 has no more entries. */
        EXHAUSTED,
        /** The plan's number of entries was reached. */
        REACHED_LIMIT,
        /** The thread was interrupted, or the coordinator closed. */
        STOPPED
    }
}
