package dev.terrace.core;

import dev.terrace.api.Acknowledgements;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import org.jspecify.annotations.Nullable;

/**
 * What L2 made of a write.
 *
 * @param entry what was to be written, with its version
 * @param outcome what became of it; null without an L2
 * @param acknowledgements which copies have it, as far as is known; null when none was reached
 * @param possible when it was not acknowledged: whether it may have happened all the same
 */
record Written(
        Entry entry,
        @Nullable StoreOutcome outcome,
        @Nullable Acknowledgements acknowledgements,
        boolean possible) {
    /** There is no L2. */
    static Written nowhere(Entry entry) {
        return new Written(entry, null, null, false);
    }

    /** False when L2 did not take it, or with fewer copies than were asked for, or could not say. */
    boolean isJudged() {
        return !(outcome instanceof StoreOutcome.Unavailable || outcome instanceof StoreOutcome.Underacknowledged);
    }

    /** Why it was not judged, for people. */
    String trouble() {
        if (outcome instanceof StoreOutcome.Unavailable no) {
            return no.cause() + " " + no.detail();
        }
        return outcome instanceof StoreOutcome.Underacknowledged few
                ? few.acked() + " of " + few.required() + " copies acknowledged it"
                : String.valueOf(outcome);
    }
}
