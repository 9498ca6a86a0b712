package dev.terrace.failover;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** A tier with a bug: its reads throw, against the contract. */
final class Throwing extends ForwardingTier {
    Throwing(Tier tier) {
        super(tier);
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        throw new IllegalStateException("a bug");
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        throw new IllegalStateException("a bug");
    }
}
