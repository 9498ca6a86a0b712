package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes that L2 has not confirmed, newest version per key. They shadow what L2 still holds, and are replayed in version
 * order, if newer, as soon as L2 answers. Bounded; kept in memory only. Thread-safe.
 */
final class MissedWrites {
    private static final Logger LOG = LoggerFactory.getLogger(MissedWrites.class);
    private static final int MOST = 10_000;
    private static final int BATCH = 200;
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 2_000;

    private final Map<CacheKey, Entry> pending = new HashMap<>();
    private final Tier remote;
    private final ScheduledExecutorService timer;
    private final Counter dropped;
    private final Counter replayed;
    private volatile boolean empty = true;
    private boolean replaying;
    private long pauseMillis = SHORTEST_PAUSE_MILLIS;

    MissedWrites(Tier remote, ScheduledExecutorService timer, MetricRegistry metrics) {
        this.remote = remote;
        this.timer = timer;
        this.dropped = metrics.counter("missed_writes.dropped");
        this.replayed = metrics.counter("missed_writes.replayed");
        metrics.remove("missed_writes.pending");
        metrics.register("missed_writes.pending", (Gauge<Integer>) this::size);
    }

    synchronized int size() {
        return pending.size();
    }

    /** Remembers a write that L2 did not confirm. */
    synchronized void add(Entry entry) {
        Entry known = pending.get(entry.key());
        if (known != null && !entry.version().isNewerThan(known.version())) {
            return;
        }
        if (known == null && pending.size() >= MOST) {
            dropped.inc();
            LOG.warn(
                    "missed write dropped because the table is full key_cache={} limit={}",
                    entry.key().cache(),
                    MOST);
            return;
        }
        pending.put(entry.key(), entry);
        empty = false;
        schedule();
    }

    /** What L2 should hold for {@code key}, if it is known to lag. */
    @Nullable
    Entry shadow(CacheKey key) {
        if (empty) {
            return null;
        }
        synchronized (this) {
            return pending.get(key);
        }
    }

    /** L2 confirmed a write of this key, so an older one need not be replayed. */
    void confirmed(Entry entry) {
        if (empty) {
            return;
        }
        synchronized (this) {
            Entry known = pending.get(entry.key());
            if (known != null && !known.version().isNewerThan(entry.version())) {
                pending.remove(entry.key());
                empty = pending.isEmpty();
            }
        }
    }

    private void schedule() {
        if (!replaying && !timer.isShutdown()) {
            replaying = true;
            timer.schedule(this::replay, pauseMillis, TimeUnit.MILLISECONDS);
        }
    }

    private void replay() {
        List<Entry> batch;
        synchronized (this) {
            batch = pending.values().stream()
                    .sorted(Comparator.comparing(Entry::version))
                    .limit(BATCH)
                    .toList();
        }
        if (batch.isEmpty()) {
            finish(true);
            return;
        }
        remote.putAll(batch).whenComplete((outcomes, bug) -> {
            boolean reached = bug == null && settle(batch, outcomes);
            finish(reached);
        });
    }

    private boolean settle(List<Entry> batch, List<StoreOutcome> outcomes) {
        boolean reached = true;
        for (int i = 0; i < batch.size(); i++) {
            if (outcomes.get(i) instanceof StoreOutcome.Unavailable) {
                reached = false;
            } else {
                replayed.inc();
                confirmed(batch.get(i));
            }
        }
        return reached;
    }

    private synchronized void finish(boolean reached) {
        replaying = false;
        pauseMillis = reached ? SHORTEST_PAUSE_MILLIS : Math.min(LONGEST_PAUSE_MILLIS, pauseMillis * 2);
        empty = pending.isEmpty();
        if (!empty) {
            schedule();
        }
    }
}
