package dev.terrace.testkit;

import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;

class HeapTierTest extends TierContract {
    @Override
    protected Tier openTier() {
        return new HeapTier(TierLevel.L2, clock);
    }
}
