package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import java.util.List;
import java.util.function.Supplier;

/** L3's metrics. Gauges read remembered figures, so that reading them costs nothing and is safe after closing. */
final class Meters implements AutoCloseable {
    private static final String ENTRIES = "l3.entries";
    private static final String BYTES = "l3.bytes";
    private static final String PARTITIONS = "l3.partitions";
    private static final String QUEUE_ENTRIES = "l3.queue.entries";
    private static final String QUEUE_BYTES = "l3.queue.bytes";

    private final MetricRegistry registry;

    /** Records written. */
    final Counter writes;
    /** Writes that the storage refused. */
    final Counter writeErrors;
    /** Reads that were answered from memory, on the caller's thread. */
    final Counter direct;
    /** Records or blocks that failed their checks. */
    final Counter corrupt;
    /** Records, counted as corrupt too, of which the dictionary is not there. */
    final Counter unknownDictionary;
    /** Records met whose key was destroyed on purpose. */
    final Counter destroyed;
    /** Records under the hash of another key. */
    final Counter collisions;
    /** Partitions dropped by retention. */
    final Counter dropped;
    /** Records removed after their cache was cleared. */
    final Counter reclaimed;
    /** Calls refused because a queue was full. */
    final Counter overloaded;
    /** Opens that found the log damaged. */
    final Counter salvaged;
    /** Writes that were safe once and are gone, at least. */
    final Counter lost;

    volatile long entries;
    volatile long bytes;
    volatile long partitions;

    Meters(MetricRegistry registry, WriteQueue queue) {
        this.registry = registry;
        writes = registry.counter("l3.writes");
        writeErrors = registry.counter("l3.write_errors");
        direct = registry.counter("l3.reads.direct");
        corrupt = registry.counter("l3.corrupt");
        unknownDictionary = registry.counter("l3.unknown_dictionary");
        destroyed = registry.counter("l3.destroyed");
        collisions = registry.counter("l3.collisions");
        dropped = registry.counter("l3.dropped");
        reclaimed = registry.counter("l3.reclaimed");
        overloaded = registry.counter("l3.overloaded");
        salvaged = registry.counter("l3.salvaged");
        lost = registry.counter("l3.lost_estimate");
        gauge(ENTRIES, () -> entries);
        gauge(BYTES, () -> bytes);
        gauge(PARTITIONS, () -> partitions);
        gauge(QUEUE_ENTRIES, () -> (long) queue.entries());
        gauge(QUEUE_BYTES, queue::bytes);
    }

    private void gauge(String name, Supplier<Long> value) {
        registry.remove(name); // Of a tier that was closed before.
        registry.gauge(name, () -> value::get);
    }

    @Override
    public void close() {
        for (String name : List.of(ENTRIES, BYTES, PARTITIONS, QUEUE_ENTRIES, QUEUE_BYTES)) {
            registry.remove(name);
        }
    }
}
