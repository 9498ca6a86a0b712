package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Settings;
import dev.terrace.failover.GuardedTier;
import dev.terrace.failover.GuardedZone;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.Tier;
import java.time.Duration;

/**
 * What stands around every tier below L1: its metrics, a breaker and an outer deadline; and what tries it. Thread-safe.
 */
record Guards(Settings settings, MetricRegistry metrics, Vitals vitals) {
    Tier remote(Tier tier) {
        GuardedTier guard = around(tier, settings.distributedCache().timeout());
        vitals.remote(guard, tier);
        return guard;
    }

    /** Zones keep their own deadlines. */
    Replica zone(Replica zone) {
        GuardedZone guard = new GuardedZone(
                zone, settings.circuitBreaker(), settings.distributedCache().timeout(), metrics);
        vitals.zone(guard, zone);
        return guard;
    }

    /** What makes one tier of zones has no breaker of its own: one zone that is bad would stop the others. */
    ReplicatedStore zones(ReplicatedStore store) {
        ReplicatedStore metered = new MeteredStore(store, metrics);
        vitals.zones(metered);
        return metered;
    }

    Tier backup(Tier tier) {
        return around(tier, settings.backupStorage().timeout());
    }

    private GuardedTier around(Tier tier, Duration timeout) {
        return new GuardedTier(
                new MeteredTier(tier, metrics), settings.circuitBreaker(), Patience.outer(timeout), metrics);
    }
}
