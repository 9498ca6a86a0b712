package dev.terrace.tier.local;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TierContract;
import java.time.Duration;

class OffHeapTierContractTest extends TierContract {
    @Override
    protected Tier openTier() {
        return new OffHeapTier(
                new LocalCacheSettings(
                        true, 10_000, 100, Duration.ofHours(1), EvictionPolicy.LRU, Duration.ofMillis(20)),
                clock,
                new MetricRegistry(),
                KeyHash.XXH128);
    }
}
