package dev.terrace.spi;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.HashMap;
import java.util.Map;

/**
 * The gauges of one owner in a registry that may outlive it: {@link #close()} takes them away, since a registry keeps in memory whatever
 * its gauges look at. Thread-safe.
 */
public final class Gauges implements AutoCloseable {
    private final Map<String, Gauge<?>> own = new HashMap<>();
    private final MetricRegistry registry;

    /** None yet. */
    public Gauges(MetricRegistry registry) {
        this.registry = registry;
    }

    /** Shows a gauge; it takes the place of an earlier owner's. */
    public void put(String name, Gauge<?> gauge) {
        // Of all owners together: between removal and registration no other may come.
        synchronized (registry) {
            registry.remove(name);
            registry.register(name, gauge);
            own.put(name, gauge);
        }
    }

    /** Takes away what was put, but not what a later owner has put in its place. */
    @Override
    public void close() {
        synchronized (registry) {
            own.forEach((name, gauge) -> {
                if (registry.getMetrics().get(name) == gauge) {
                    registry.remove(name);
                }
            });
            own.clear();
        }
    }
}
