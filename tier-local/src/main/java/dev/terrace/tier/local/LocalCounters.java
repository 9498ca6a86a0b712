package dev.terrace.tier.local;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;

/** What L1 counts. */
final class LocalCounters {
    final Counter corrupt;
    final Counter refused;
    final Counter collisions;
    final Counter errors;
    final Counter shrinks;
    final Counter segmentsFull;
    private final Counter[] evicted = new Counter[EvictionCause.count()];
    private final MetricRegistry metrics;

    LocalCounters(MetricRegistry metrics) {
        this.metrics = metrics;
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

    /** Takes the place of the gauge of an earlier tier, which would keep that one alive. */
    void gauge(String name, Gauge<Long> gauge) {
        metrics.remove(name);
        metrics.register(name, gauge);
    }
}
