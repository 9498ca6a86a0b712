package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** L2, answered as unavailable at once while the ladder leaves it out, but for markers. Thread-safe. */
final class SwitchedTier implements Tier {
    private static final Lookup NOT_READ =
            new Lookup.Unavailable(TierLevel.L2, Unavailability.BREAKER_OPEN, RemoteUse.LEFT_OUT);
    static final StoreOutcome NOT_WRITTEN =
            new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.BREAKER_OPEN, RemoteUse.LEFT_OUT);

    private final Tier tier;
    private final RemoteUse use;

    SwitchedTier(Tier tier, RemoteUse use) {
        this.tier = tier;
        this.use = use;
    }

    @Override
    public TierLevel level() {
        return tier.level();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return isRead(key) ? tier.get(key) : CompletableFuture.completedStage(NOT_READ);
    }

    /**
     * Markers are read as soon as writes go through. After a gap a node has heard everything only when it has read them anew,
     * and the last rung waits for that: it would wait for itself.
     */
    private boolean isRead(CacheKey key) {
        return use.isRead() || use.isWritten() && key.cache().startsWith(Markers.RESERVED_PREFIX);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        if (keys.stream().allMatch(this::isRead)) {
            return tier.getAll(keys);
        }
        Map<CacheKey, Lookup> none = new HashMap<>(2 * keys.size());
        keys.forEach(key -> none.put(key, NOT_READ));
        return CompletableFuture.completedStage(none);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return use.isWritten() ? tier.put(entry, condition) : CompletableFuture.completedStage(NOT_WRITTEN);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return use.isWritten() ? tier.put(entry, condition, mode) : CompletableFuture.completedStage(NOT_WRITTEN);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return use.isWritten()
                ? tier.putAll(entries)
                : CompletableFuture.completedStage(Collections.nCopies(entries.size(), NOT_WRITTEN));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return use.isWritten()
                ? tier.putAll(entries, mode)
                : CompletableFuture.completedStage(Collections.nCopies(entries.size(), NOT_WRITTEN));
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return use.isWritten() ? tier.clear(cache, upTo) : CompletableFuture.completedStage(null);
    }

    @Override
    public TierStatus status() {
        return tier.status();
    }

    @Override
    public void close() {
        tier.close();
    }
}
