package dev.terrace.spi;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/**
 * Where a warm-up takes entries from: L3, or whatever is becoming one. The hottest keys are asked for one by one, the rest is walked
 * through in parts, each whole or not at all, so that several nodes can share them. Thread-safe.
 */
public interface EntrySource {
    /** What is held under {@code keys}, as {@link Tier#getAll}. */
    CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys);

    /**
     * Names how keys are spread over parts: two sources of the same layout have a key in the same part, whatever else they hold. Reveals
     * no key.
     */
    String layout();

    /**
     * Hands every live value of one of {@code parts} equal parts to {@code visitor} on the calling thread, in no particular order, until
     * it returns false or the end is reached. Entries written meanwhile may or may not be seen. Corrupt entries are counted and skipped.
     *
     * @param part from 0
     * @param parts from 1 to 65,536
     * @throws dev.terrace.api.TerraceException when the storage fails half-way
     */
    void scan(int part, int parts, Predicate<Entry> visitor);

    /** What can be asked of a source. */
    enum Readiness {
        /** Nothing yet. */
        NOT_YET,
        /** Keys, one by one; parts would lack what is still on its way. */
        BY_KEY,
        /** Everything that it will ever have. */
        WHOLE
    }

    /** What can be asked of it now: one that is becoming whole is walked through when it is. Does not block. */
    default Readiness readiness() {
        return Readiness.WHOLE;
    }

    /** Its account of itself; {@link TierStatus#entries} is how many there may be, or -1. */
    TierStatus status();
}
