package dev.terrace.spi;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * One storage level. Thread-safe.
 *
 * <p>Rules that every implementation keeps, and {@code TierContract} in the testkit checks:
 *
 * <ul>
 *   <li>Stages complete normally with a value that says what happened; they fail only on bugs. Nothing is thrown by
 *       the call itself, also after {@link #close()}.
 *   <li>Every stage completes within the tier's own deadline, whatever the storage does.
 *   <li>A call never blocks its caller on I/O or on a full queue.
 *   <li>Bytes that fail their checks are a miss and are counted, never a wrong value.
 *   <li>An entry past its stale-until is a miss.
 *   <li>{@link WriteCondition}s are checked and applied as one step, against any number of concurrent writers.
 * </ul>
 */
public interface Tier extends AutoCloseable {
    /** Which level this is. */
    TierLevel level();

    /** What the tier holds under {@code key}. */
    CompletionStage<Lookup> get(CacheKey key);

    /** Looks many keys up at once, one round trip per server; the answer has every key that was asked for. */
    CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys);

    /** Stores {@code entry}, a tombstone included, if {@code condition} holds. Completes when the tier has taken it. */
    CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition);

    /** Stores many entries {@linkplain WriteCondition#IF_NEWER if newer}; outcomes in the order of {@code entries}. */
    CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries);

    /**
     * As {@link #put(Entry, WriteCondition)}, acknowledged by as many copies as {@code mode} says where the storage keeps copies
     * of its own; other tiers ignore it.
     */
    default CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return put(entry, condition);
    }

    /** As {@link #putAll(List)}, acknowledged as {@code mode} says. */
    default CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return putAll(entries);
    }

    /**
     * Gives back the space of every entry of {@code cache} whose version is not newer than {@code upTo}. The
     * coordinator already hides them, so this may take its time and may be partial.
     */
    CompletionStage<Void> clear(String cache, Version upTo);

    /** The tier's account of itself; cheap, never blocks. */
    TierStatus status();

    /** Drains what was accepted, within the tier's own bound, and releases everything. Idempotent. */
    @Override
    void close();
}
