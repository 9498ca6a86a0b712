package dev.terrace.core;

import org.jspecify.annotations.Nullable;

/** The beats that this node sent lately, and when. Not thread-safe. */
final class OwnBeats {
    static final int KEPT = 1024;

    private final Sent[] kept = new Sent[KEPT];
    private final long first;
    private long last;

    /**
     * A beat that was sent.
     *
     * @param nanos on a clock that only moves on
     * @param wallMillis on the wall clock
     */
    record Sent(long number, long nanos, long wallMillis) {
        /** Before everything. */
        static final Sent NONE = new Sent(-1, Coherence.NEVER, 0);
    }

    /** @param after beats are numbered from here on; above those of earlier lives of this node, if clocks are right */
    OwnBeats(long after) {
        this.first = after;
        this.last = after;
    }

    Sent next(long nanos, long wallMillis) {
        Sent beat = new Sent(++last, nanos, wallMillis);
        kept[(int) (beat.number() & KEPT - 1)] = beat;
        return beat;
    }

    /** The beat of this number; null when it was not sent by this process, or too long ago. */
    @Nullable
    Sent find(long number) {
        Sent known = kept[(int) (number & KEPT - 1)];
        return known != null && known.number() == number ? known : null;
    }

    /** Whether this process sent it, however long ago. */
    boolean isOurs(long number) {
        return number > first && number <= last;
    }
}
