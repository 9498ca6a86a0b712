package dev.terrace.failover;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** A tier with a bug: its reads throw, against the contract, until it is mended. */
final class Throwing extends ForwardingTier {
    private volatile boolean mended;

    Throwing(Tier tier) {
        super(tier);
    }

    void mend() {
        mended = true;
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        if (mended) {
            return super.get(key);
        }
        throw new StackOverflowError("a bug");
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        throw new IllegalStateException("a bug");
    }
}
