package dev.terrace.core.origin;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.WriteJournal;

/** Metrics of writing behind. */
final class JournalMeters {
    final Counter accepted;
    final Counter refused;
    final Counter coalesced;
    final Counter written;
    final Counter failures;
    final Counter overtaken;
    final Counter dropped;
    final Counter graveyardFull;
    final Counter unforgotten;
    private final Counter replayed;
    private final Counter damaged;

    JournalMeters(MetricRegistry metrics, WriteBehind behind) {
        this.accepted = metrics.counter("journal.accepted");
        this.refused = metrics.counter("journal.refused");
        this.coalesced = metrics.counter("journal.coalesced");
        this.written = metrics.counter("journal.written");
        this.failures = metrics.counter("journal.retries");
        this.overtaken = metrics.counter("journal.dead.overtaken");
        this.dropped = metrics.counter("journal.dropped");
        this.graveyardFull = metrics.counter("journal.dead.no_room");
        this.unforgotten = metrics.counter("journal.unforgotten");
        this.replayed = metrics.counter("journal.replayed");
        this.damaged = metrics.counter("journal.damaged");
        gauge(metrics, "journal.pending", behind::size);
        gauge(metrics, "journal.pending.bytes", behind::bytes);
        gauge(metrics, "journal.oldest_ms", behind::oldestMillis);
        gauge(metrics, "journal.dead", behind::deadCount);
    }

    private static void gauge(MetricRegistry metrics, String name, Gauge<?> gauge) {
        metrics.remove(name);
        metrics.register(name, gauge);
    }

    void restored(WriteJournal.Contents contents) {
        replayed.inc(contents.waiting().size());
        damaged.inc(contents.damaged());
    }
}
