package dev.terrace.tier.local;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Gauges;

/** What L1 counts, and shows. Thread-safe. */
final class LocalCounters implements AutoCloseable {
    final Counter corrupt;
    final Counter refused;
    final Counter collisions;
    final Counter errors;
    final Counter shrinks;
    final Counter segmentsFull;
    private final Counter[] evicted = new Counter[EvictionCause.count()];
    private final Gauges gauges;

    LocalCounters(MetricRegistry metrics) {
        this.gauges = new Gauges(metrics);
        for (EvictionCause cause : EvictionCause.values()) {
            evicted[cause.index] = metrics.counter("l1.evictions." + cause.text());
        }
        this.segmentsFull = metrics.counter("l1.segments.full");
        this.shrinks = metrics.counter("l1.shrinks");
        this.corrupt = metrics.counter("l1.corrupt");
        this.refused = metrics.counter("l1.refused");
        this.collisions = metrics.counter("l1.collisions");
        this.errors = metrics.counter("l1.errors");
    }

    Counter evicted(EvictionCause cause) {
        return evicted[cause.index];
    }

    void gauge(String name, Gauge<Long> gauge) {
        gauges.put(name, gauge);
    }

    /** What was counted stays, what was shown goes. */
    @Override
    public void close() {
        gauges.close();
    }
}
