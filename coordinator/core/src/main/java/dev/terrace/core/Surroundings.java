package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.TierContext;
import java.time.InstantSource;

/** What all parts of one coordinator are opened with. Thread-safe. */
record Surroundings(Settings settings, InstantSource clock, MetricRegistry metrics) implements TierContext {
    @Override
    public <T> T settings(Class<T> type) {
        return settings.part(type);
    }

    /** The same with another L2. */
    Surroundings within(DistributedCacheSettings remote) {
        return new Surroundings(settings.withDistributedCache(remote), clock, metrics);
    }
}
