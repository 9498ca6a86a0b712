package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import org.jspecify.annotations.Nullable;

/**
 * An operation under way. Thread-safe. It ends once: what is said after the first end is ignored, because a late answer to a
 * caller that has given up must not change what the caller knew.
 *
 * <p>Whoever records in time of its own says when: {@code pending.at(nanos).ok()}.
 */
public final class Pending {
    private static final long BY_THE_CLOCK = Long.MIN_VALUE;

    private final HistoryRecorder.Note note;
    private final long nanos;

    Pending(HistoryRecorder.Note note) {
        this(note, BY_THE_CLOCK);
    }

    private Pending(HistoryRecorder.Note note, long nanos) {
        this.note = note;
        this.nanos = nanos;
    }

    /** The same operation, to be ended at this moment of the recorder's time. */
    public Pending at(long endNanos) {
        return new Pending(note, endNanos);
    }

    /** The write took place. */
    public boolean ok() {
        return ok(Observed.DONE);
    }

    /** The write took place with this version; null when it was not told. */
    public boolean ok(@Nullable Version version) {
        return ok(Observed.written(version));
    }

    /** A read found this; null for absent, null for a version that was not told. For increments: the new number. */
    public boolean ok(@Nullable String value, @Nullable Version version) {
        return ok(Observed.found(value, version));
    }

    /** It was carried out and told this. */
    public boolean ok(Observed observed) {
        return end(Outcome.OK, observed);
    }

    /** The condition of the write did not hold: nothing was changed. */
    public boolean refused() {
        return ok(Observed.REFUSED);
    }

    /** It is proven that it was not and will not be carried out. */
    public boolean fail() {
        return end(Outcome.FAIL, null);
    }

    /** It may have been carried out, or may yet be. The process goes on under a new name. */
    public boolean unknown() {
        return end(Outcome.UNKNOWN, null);
    }

    private boolean end(Outcome outcome, @Nullable Observed observed) {
        return note.end(outcome, observed, nanos == BY_THE_CLOCK ? note.now() : nanos);
    }
}
