package dev.terrace.spi;

import java.util.function.Predicate;

/** A tier whose entries can be walked through, the source of a warm-up. */
public interface ScannableTier extends Tier, EntrySource {
    /**
     * Hands every live entry to {@code visitor} on the calling thread, in no particular order, until it returns false
     * or the end is reached. Entries written meanwhile may or may not be seen. Corrupt entries are counted and skipped.
     *
     * @throws dev.terrace.api.TerraceException when the storage fails half-way
     */
    default void scan(Predicate<Entry> visitor) {
        scan(0, 1, visitor);
    }
}
