package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Settings;
import dev.terrace.failover.GuardedTier;
import dev.terrace.spi.Tier;
import java.time.Duration;

/** What stands around every tier below L1: its metrics, a breaker and an outer deadline. Thread-safe. */
record Guards(Settings settings, MetricRegistry metrics) {
    Tier remote(Tier tier) {
        return around(tier, settings.distributedCache().timeout());
    }

    Tier backup(Tier tier) {
        return around(tier, settings.backupStorage().timeout());
    }

    private Tier around(Tier tier, Duration timeout) {
        return new GuardedTier(
                new MeteredTier(tier, metrics), settings.circuitBreaker(), Patience.outer(timeout), metrics);
    }
}
