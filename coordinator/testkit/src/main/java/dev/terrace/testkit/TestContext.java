package dev.terrace.testkit;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.TierContext;
import java.time.InstantSource;
import java.util.List;

/** A {@link TierContext} for tests: some settings records, a clock, and metrics that the test can read. */
public final class TestContext implements TierContext {
    private final InstantSource clock;
    private final List<Object> settings;
    private final MetricRegistry metrics = new MetricRegistry();

    /** Offers each of {@code settings} under its own class. */
    public TestContext(InstantSource clock, Object... settings) {
        this.clock = clock;
        this.settings = List.of(settings);
    }

    @Override
    public <T> T settings(Class<T> type) {
        return settings.stream()
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no settings of type " + type.getName()));
    }

    @Override
    public MetricRegistry metrics() {
        return metrics;
    }

    @Override
    public InstantSource clock() {
        return clock;
    }
}
