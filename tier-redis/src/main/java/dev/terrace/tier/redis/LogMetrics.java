package dev.terrace.tier.redis;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;

/** What a log counts, under {@code backplane.<name>.}. */
final class LogMetrics {
    /** Notices that the log took. */
    final Counter published;
    /** Notices that were delivered. */
    final Counter heard;
    /** Appends, each of one notice or more. */
    final Counter batches;
    /** Notices for which it cannot be said that the log has them. */
    final Counter notKnown;
    /** Notices that were refused because the queue was full; also counted as not known. */
    final Counter overflow;
    /** Entries that are none of ours, and notices of later builds. */
    final Counter skipped;
    /** Connections of the reader beyond the first. */
    final Counter reconnects;

    private final MetricRegistry registry;
    private final String prefix;

    LogMetrics(MetricRegistry registry, String name) {
        this.registry = registry;
        this.prefix = "backplane." + name + '.';
        this.published = registry.counter(prefix + "published");
        this.heard = registry.counter(prefix + "heard");
        this.batches = registry.counter(prefix + "batches");
        this.notKnown = registry.counter(prefix + "not_known");
        this.overflow = registry.counter(prefix + "overflow");
        this.skipped = registry.counter(prefix + "skipped");
        this.reconnects = registry.counter(prefix + "reconnects");
    }

    /** Gaps by cause: anew, back, late, missed, lost, unreadable. */
    void gap(String cause) {
        registry.counter(prefix + "gaps." + cause).inc();
    }

    void gauge(String name, com.codahale.metrics.Gauge<Long> gauge) {
        registry.remove(prefix + name);
        registry.register(prefix + name, gauge);
    }
}
