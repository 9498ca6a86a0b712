package dev.terrace.failover;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** A tier with a bug: its reads throw, against the contract. */
record Throwing(Tier tier) implements Tier {
    @Override
    public TierLevel level() {
        return tier.level();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        throw new IllegalStateException("a bug");
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        throw new IllegalStateException("a bug");
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
