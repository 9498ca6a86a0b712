package dev.terrace.spi;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Keeps on this node's disk what zones have missed, one hint per zone and key, so that a restart does not forget it. Thread-safe.
 *
 * <p>Nothing here blocks its caller or throws. Calls about one zone and key take effect in the order in which they were made.
 * Stages complete normally, on threads of the store: what depends on them must not block.
 */
public interface HintStore {
    /**
     * Something that a zone has missed.
     *
     * @param zone the zone's name
     * @param entry what it missed
     * @param sinceMillis when that was noticed, wall-clock milliseconds since the epoch
     */
    record Hint(String zone, Entry entry, long sinceMillis) {}

    /**
     * Keeps {@code hint}, in place of what was kept for the same zone and key. Completes with true when a kill of the process can
     * no longer lose it; with false when it was not kept, because the disk is full or the store is busy or closed.
     */
    CompletionStage<Boolean> keep(Hint hint);

    /** Forgets what is kept for {@code zone} and {@code key}. May fail silently: the hint is then seen again after a restart. */
    void drop(String zone, CacheKey key);

    /** What is kept for {@code zone} under {@code keys}; keys that are not kept, or cannot be read, are missing. */
    CompletionStage<Map<CacheKey, Entry>> read(String zone, Collection<CacheKey> keys);

    /**
     * Hands everything that is kept for {@code zones} to {@code visitor}, and forgets what is kept for others or cannot be read.
     * Completes with how many were forgotten.
     */
    CompletionStage<Long> load(Collection<String> zones, Consumer<Hint> visitor);
}
