package dev.terrace.spi;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A tier that hands every call to another one: to be extended by what changes some of them. Every method goes straight to the
 * other tier; none is built on another one here, so whoever changes how entries are stored overrides all four methods that store.
 * As thread-safe as the other tier.
 */
public abstract class ForwardingTier implements Tier {
    private final Supplier<? extends Tier> to;

    /** Forwards to {@code tier}. */
    protected ForwardingTier(Tier tier) {
        this(() -> tier);
    }

    /** Forwards to whatever {@code to} gives at the time of each call, which must be quick. */
    protected ForwardingTier(Supplier<? extends Tier> to) {
        this.to = to;
    }

    @Override
    public TierLevel level() {
        return to.get().level();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return to.get().get(key);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return to.get().getAll(keys);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return to.get().put(entry, condition);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return to.get().putAll(entries);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return to.get().put(entry, condition, mode);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return to.get().putAll(entries, mode);
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return to.get().clear(cache, upTo);
    }

    @Override
    public TierStatus status() {
        return to.get().status();
    }

    @Override
    public void close() {
        to.get().close();
    }
}
