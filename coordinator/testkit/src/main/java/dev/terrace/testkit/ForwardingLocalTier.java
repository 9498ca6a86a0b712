package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;

/** As {@link ForwardingTier}, of an L1: for tests that change what one of its methods does. */
public abstract class ForwardingLocalTier extends ForwardingTier implements LocalTier {
    private final LocalTier local;

    /** Forwards to {@code local}. */
    protected ForwardingLocalTier(LocalTier local) {
        super(local);
        this.local = local;
    }

    @Override
    public boolean read(KeyBuffer key, EnvelopeView into) {
        return local.read(key, into);
    }

    @Override
    public StoreOutcome store(Entry entry, WriteCondition condition) {
        return local.store(entry, condition);
    }

    @Override
    public void drop(CacheKey key) {
        local.drop(key);
    }

    @Override
    public boolean dropOlder(CacheKey key, Version version) {
        return local.dropOlder(key, version);
    }

    @Override
    public void dropAll() {
        local.dropAll();
    }
}
