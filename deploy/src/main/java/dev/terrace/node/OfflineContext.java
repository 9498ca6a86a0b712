package dev.terrace.node;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Settings;
import dev.terrace.spi.TierContext;
import java.time.InstantSource;

/** Settings, for something that is opened without a coordinator; its metrics are seen by nobody else. Thread-safe. */
public record OfflineContext(Settings settings, MetricRegistry metrics) implements TierContext {
    /** With metrics of its own. */
    public OfflineContext(Settings settings) {
        this(settings, new MetricRegistry());
    }

    @Override
    public <T> T settings(Class<T> type) {
        return settings.part(type);
    }

    @Override
    public InstantSource clock() {
        return InstantSource.system();
    }
}
