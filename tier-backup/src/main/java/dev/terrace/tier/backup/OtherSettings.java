package dev.terrace.tier.backup;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.TierContext;
import java.time.InstantSource;

/** A context for another folder, with metrics that nobody sees. */
final class OtherSettings implements TierContext {
    private final TierContext base;
    private final BackupStorageSettings settings;
    private final MetricRegistry metrics = new MetricRegistry();

    OtherSettings(TierContext base, BackupStorageSettings settings) {
        this.base = base;
        this.settings = settings;
    }

    @Override
    public <T> T settings(Class<T> type) {
        return type == BackupStorageSettings.class ? type.cast(settings) : base.settings(type);
    }

    @Override
    public MetricRegistry metrics() {
        return metrics;
    }

    @Override
    public InstantSource clock() {
        return base.clock();
    }
}
