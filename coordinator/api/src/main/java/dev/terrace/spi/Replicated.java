package dev.terrace.spi;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What became of a write to several zones.
 *
 * @param outcome whether it happened
 * @param version what the write carries; null when it never got one
 * @param acked names of the zones that have acknowledged it so far
 * @param required how many had to
 * @param hinted names of the zones that missed it so far and will be told later
 * @param current what a conditional write was refused for; for an acknowledged one what was written, when a {@link ConflictResolver}
 *     made it of what was there; else null
 * @param detail why, for people; empty when there is nothing to say
 */
public record Replicated(
        Outcome outcome,
        @Nullable Version version,
        Set<String> acked,
        int required,
        Set<String> hinted,
        @Nullable Entry current,
        String detail) {
    /** Copies the sets. */
    public Replicated {
        acked = Set.copyOf(acked);
        hinted = Set.copyOf(hinted);
    }

    /** Whether a write happened. */
    public enum Outcome {
        /** It did, and will not be forgotten within the promise of its mode. */
        ACKNOWLEDGED,
        /** A condition did not hold; nothing was changed. */
        REFUSED,
        /** It did not, and never will. */
        FAILED,
        /** It may have, or may yet. */
        UNKNOWN
    }
}
