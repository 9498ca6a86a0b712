package dev.terrace.core;

import dev.terrace.spi.Entry;

/**
 * A write that has yet to reach the origin, or was given up.
 *
 * @param entry key, version and value; without a value it is a removal
 * @param state where it stands
 * @param ageMillis how long ago it was written, or the oldest of those that it replaced
 * @param attempts failed calls of the writer
 * @param reason the last failure, for people; empty when there was none
 */
public record JournalItem(Entry entry, State state, long ageMillis, int attempts, String reason) {
    /** Where a write stands. */
    public enum State {
        /** It waits for its turn. */
        WAITING,
        /** It failed and waits for its next attempt. */
        RETRYING,
        /** A writer has it now. */
        WRITING,
        /** Nobody has opened its cache with a writer yet. */
        NO_WRITER,
        /** It was given up. */
        DEAD
    }

    /** What {@link Journal} calls it. */
    public String id() {
        return entry.version().toString();
    }
}
