package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.StoreOutcome;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what a warm-up does, for its progress and for metrics. Thread-safe. */
final class WarmupTally {
    final AtomicLong read = new AtomicLong();
    final AtomicLong copied = new AtomicLong();
    final AtomicLong superseded = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    final AtomicLong doubted = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    private final Counter allCopied;
    private final Counter allSuperseded;
    private final Counter allFailed;

    WarmupTally(MetricRegistry metrics) {
        allCopied = metrics.counter("warmup.copied");
        allSuperseded = metrics.counter("warmup.superseded");
        allFailed = metrics.counter("warmup.failed");
    }

    void count(StoreOutcome outcome, int entryBytes) {
        if (outcome instanceof StoreOutcome.Applied || outcome instanceof StoreOutcome.Underacknowledged) {
            copied.incrementAndGet();
            bytes.addAndGet(entryBytes);
            allCopied.inc();
        } else if (outcome instanceof StoreOutcome.Superseded) {
            notNeeded(1);
        } else {
            failed.incrementAndGet();
            allFailed.inc();
        }
    }

    void notNeeded(int entries) {
        superseded.addAndGet(entries);
        allSuperseded.inc(entries);
    }
}
