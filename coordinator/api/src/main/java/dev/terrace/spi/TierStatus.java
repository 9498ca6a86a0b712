package dev.terrace.spi;

/**
 * A tier's account of itself, for people.
 *
 * @param level which tier
 * @param state whether it can serve
 * @param description what it is and where, without secrets: {@code Redis 127.0.0.1:6379}
 * @param detail why it is in that state; empty when there is nothing to say
 * @param entries entries held, or -1 when counting would cost too much
 * @param bytes bytes used, or -1 when not known
 */
public record TierStatus(TierLevel level, State state, String description, String detail, long entries, long bytes) {
    /** Whether a tier can serve. */
    public enum State {
        /** Serving. */
        READY,
        /** Not yet, or not any more, connected; trying. */
        CONNECTING,
        /** Reads work, writes do not. */
        READ_ONLY,
        /** Closed for good. */
        CLOSED
    }
}
