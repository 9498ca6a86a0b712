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

    /** What became of a batch; one step per batch, because workers would wait for each other's counts otherwise. */
    static final class Batch {
        private int applied;
        private int superseded;
        private int failed;
        private long bytes;

        void count(StoreOutcome outcome, int entryBytes) {
            if (outcome instanceof StoreOutcome.Applied || outcome instanceof StoreOutcome.Underacknowledged) {
                applied++;
                bytes += entryBytes;
            } else if (outcome instanceof StoreOutcome.Superseded) {
                superseded++;
            } else {
                failed++;
            }
        }
    }

    void add(Batch batch) {
        copied.addAndGet(batch.applied);
        superseded.addAndGet(batch.superseded);
        failed.addAndGet(batch.failed);
        bytes.addAndGet(batch.bytes);
        allCopied.inc(batch.applied);
        allSuperseded.inc(batch.superseded);
        allFailed.inc(batch.failed);
    }
}
