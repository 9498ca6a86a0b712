package dev.terrace.spi;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * A tier that hands every call to another one: to be extended by what changes some of them. Every method goes straight to the
 * other tier; none is built on another one here, so whoever changes how entries are stored overrides all four methods that store.
 * As thread-safe as the other tier.
 */
public abstract class ForwardingTier implements Tier {
    private final Tier tier;

    /** Forwards to {@code tier}. */
    protected ForwardingTier(Tier tier) {
        this.tier = tier;
    }

    @Override
    public TierLevel level() {
        return tier.level();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return tier.get(key);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return tier.getAll(keys);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return tier.put(entry, condition);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return tier.putAll(entries);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return tier.put(entry, condition, mode);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return tier.putAll(entries, mode);
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return tier.clear(cache, upTo);
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
