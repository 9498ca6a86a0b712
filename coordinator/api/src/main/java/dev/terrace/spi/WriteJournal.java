package dev.terrace.spi;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Keeps on this node's disk the writes that have yet to reach the origin: the newest of each key that waits, and dead letters, which
 * wait for a person. Thread-safe.
 *
 * <p>Nothing here blocks its caller or throws, {@link #load} and {@link #close} aside. Steps take effect in the order in which they
 * were given. Stages complete normally, on threads of the journal: what depends on them must not block. Of a journal that was not
 * closed, a prefix of the steps has taken effect, at least all whose stages completed with {@link Outcome#KEPT}.
 */
public interface WriteJournal extends AutoCloseable {
    /** A change of what is kept. */
    sealed interface Step {
        /** The key it is about. */
        CacheKey key();
    }

    /**
     * A write waits, in place of an earlier one of its key.
     *
     * @param entry a value, or something without a value for a removal
     * @param sinceMillis when it was written, wall-clock milliseconds since the epoch
     */
    record Wait(Entry entry, long sinceMillis) implements Step {
        @Override
        public CacheKey key() {
            return entry.key();
        }
    }

    /** The write of this version waits no longer; nothing happens when another one of its key waits now. */
    record Done(CacheKey key, Version version) implements Step {}

    /** A write becomes a dead letter; if it waits, it waits no longer. */
    record Bury(Dead dead) implements Step {
        @Override
        public CacheKey key() {
            return dead.key();
        }
    }

    /** A dead letter is forgotten. */
    record Forget(CacheKey key, Version version) implements Step {}

    /**
     * A write that was given up.
     *
     * @param entry what was to be written
     * @param sinceMillis when it was written by the user
     * @param diedMillis when it was given up
     * @param attempts how often it was tried
     * @param reason the last failure, for people
     */
    record Dead(Entry entry, long sinceMillis, long diedMillis, int attempts, String reason) {
        /** Whose. */
        public CacheKey key() {
            return entry.key();
        }
    }

    /** What became of steps. */
    enum Outcome {
        /** They are kept, as safe as the settings say. */
        KEPT,
        /** They are not: the disk is full or fails. */
        FAILED,
        /** They are not: the journal is closed, or was before it came to them. */
        CLOSED
    }

    /**
     * What was kept when the journal was opened.
     *
     * @param waiting one for each key, in no order
     * @param dead dead letters, in no order
     * @param damaged records that could not be read and were set aside
     */
    record Contents(List<Wait> waiting, List<Dead> dead, long damaged) {
        /** Copies the lists. */
        public Contents {
            waiting = List.copyOf(waiting);
            dead = List.copyOf(dead);
        }
    }

    /** What was kept at opening; to be asked once. */
    Contents load();

    /** Takes all of {@code steps} or none. */
    CompletionStage<Outcome> take(List<Step> steps);

    /** Why nothing can be kept now, for people; null when it can. Cheap, never blocks. */
    @Nullable
    String trouble();

    /** Does what was asked for, within a bound of its own, and releases everything. Idempotent. */
    @Override
    void close();
}
