package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;

/**
 * What warm-ups need beside the tiers.
 *
 * @param heat counts which keys are read
 * @param keeper notes which are hot
 * @param fleet where leases lie and versions are told
 * @param metrics where calls are timed and hits are counted
 */
record Warming(Heat heat, HeatKeeper keeper, FleetServices fleet, MetricRegistry metrics) {
    /** How often L1 has evicted for want of space; 0 when it does not say. */
    long localEvictions() {
        Counter counter = metrics.getCounters().get("l1.evictions.size");
        return counter == null ? 0 : counter.getCount();
    }
}
