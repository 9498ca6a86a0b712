package dev.terrace.testkit;

import dev.terrace.spi.Tier;

class HeapLocalTierTest extends TierContract {
    @Override
    protected Tier openTier() {
        return new HeapLocalTier(clock);
    }
}
