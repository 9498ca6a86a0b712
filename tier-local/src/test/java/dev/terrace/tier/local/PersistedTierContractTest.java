package dev.terrace.tier.local;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TierContract;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;

class PersistedTierContractTest extends TierContract {
    @TempDir
    Path folder;

    private int opened;

    @Override
    protected Tier openTier() {
        return PersistedFixture.open(
                folder.resolve("l1-" + opened++),
                clock,
                new MetricRegistry(),
                new LocalCacheSettings(
                        true, 10_000, 16, Duration.ofHours(1), EvictionPolicy.LRU, Duration.ofMillis(20)),
                PersistedFixture.DRIFT);
    }
}
