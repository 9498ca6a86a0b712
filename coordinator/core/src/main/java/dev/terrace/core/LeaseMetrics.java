package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;

/** What is counted of leases; in keys. */
final class LeaseMetrics {
    /** A load began with it. */
    final Counter granted;

    /** A load was spared, because another node's had brought the value. */
    final Counter shared;

    /** A load had to wait for another node's at first. */
    final Counter waited;

    /** A load began without one, because L2 did not say who may. */
    final Counter without;

    /** It ran out, or L2 forgot it, while its load was under way. */
    final Counter lost;

    LeaseMetrics(MetricRegistry metrics) {
        this.granted = metrics.counter("leases.granted");
        this.shared = metrics.counter("leases.shared");
        this.waited = metrics.counter("leases.waited");
        this.without = metrics.counter("leases.without");
        this.lost = metrics.counter("leases.lost");
    }
}
