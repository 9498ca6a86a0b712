package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes that a tier has not confirmed, newest version per key. They shadow what the tier still holds, and are replayed in
 * version order, if newer, as soon as it answers. Bounded; kept in memory only. Thread-safe.
 */
final class MissedWrites {
    private static final Logger LOG = LoggerFactory.getLogger(MissedWrites.class);
    private static final int MOST = 10_000;
    private static final int BATCH = 200;
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 2_000;

    private final Map<CacheKey, Entry> pending = new HashMap<>();
    private final Tier tier;
    private final HybridClock clock;
    private final ScheduledExecutorService timer;
    private final Counter dropped;
    private final Counter replayed;
    private volatile boolean empty = true;
    private boolean replaying;
    private boolean dropping;
    private long pauseMillis = SHORTEST_PAUSE_MILLIS;

    MissedWrites(Tier tier, HybridClock clock, ScheduledExecutorService timer, MetricRegistry metrics) {
        this.tier = tier;
        this.clock = clock;
        this.timer = timer;
        String prefix = "missed_writes." + tier.level().name().toLowerCase(Locale.ROOT) + ".";
        this.dropped = metrics.counter(prefix + "dropped");
        this.replayed = metrics.counter(prefix + "replayed");
        metrics.remove(prefix + "pending");
        metrics.register(prefix + "pending", (Gauge<Integer>) this::size);
    }

    synchronized int size() {
        return pending.size();
    }

    /** Remembers a write that the tier did not confirm. */
    synchronized void add(Entry entry) {
        Entry known = pending.get(entry.key());
        if (known != null && !entry.version().isNewerThan(known.version())) {
            return;
        }
        if (known == null && pending.size() >= MOST) {
            dropped.inc();
            if (!dropping) {
                dropping = true;
                LOG.error(
                        "missed writes are dropped until the tier is back, it may answer older values tier={} limit={}",
                        tier.level(),
                        MOST);
            }
            return;
        }
        pending.put(entry.key(), entry);
        empty = false;
        schedule();
    }

    /** What the tier should hold for {@code key}, if it is known to lag. */
    @Nullable
    Entry pending(CacheKey key) {
        if (empty) {
            return null;
        }
        synchronized (this) {
            Entry entry = pending.get(key);
            return entry == null || entry.isExpired(clock.millis()) ? null : entry;
        }
    }

    /** What the tier said, or what it should have said: a write that it missed counts as what it holds. */
    Lookup shadowed(CacheKey key, Lookup said) {
        Entry missed = pending(key);
        if (missed == null) {
            return said;
        }
        Version held = said instanceof Lookup.Hit hit ? hit.entry().version() : null;
        return missed.version().isNewerThan(held) ? new Lookup.Hit(missed) : said;
    }

    /** The tier confirmed a write of this key, so an older one need not be replayed. */
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
        if (replaying) {
            return;
        }
        try {
            timer.schedule(this::replay, pauseMillis, TimeUnit.MILLISECONDS);
            replaying = true;
        } catch (RejectedExecutionException closing) {
            LOG.debug("no replay while closing tier={}", tier.level());
        }
    }

    private void replay() {
        List<Entry> batch;
        synchronized (this) {
            long now = clock.millis();
            pending.values().removeIf(entry -> entry.isExpired(now));
            batch = pending.values().stream()
                    .sorted(Comparator.comparing(Entry::version))
                    .limit(BATCH)
                    .toList();
        }
        if (batch.isEmpty()) {
            finish(true);
            return;
        }
        tier.putAll(batch).whenComplete((outcomes, bug) -> finish(bug == null && settle(batch, outcomes)));
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
        if (empty) {
            dropping = false;
        } else {
            schedule();
        }
    }
}
