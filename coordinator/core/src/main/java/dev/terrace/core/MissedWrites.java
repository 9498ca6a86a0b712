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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes that a tier has not confirmed, newest version per key: those under way, and those that it missed. They shadow what
 * the tier still holds; the missed ones are replayed in version order, if newer, as soon as it answers. Bounded; kept in
 * memory only. Thread-safe.
 *
 * <p>A reader must ask {@link #pending} before it asks the tier, and pass the answer to {@link #shadowed}: a write may be
 * confirmed, and forgotten here, after the tier has read its older value for an answer that is still on its way.
 */
final class MissedWrites {
    private static final Logger LOG = LoggerFactory.getLogger(MissedWrites.class);
    private static final int MOST = 10_000;
    private static final int BATCH = 200;
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 2_000;

    /** Writes not yet confirmed. */
    private final Map<CacheKey, Pending> pending = new HashMap<>();

    private final Tier tier;
    private final HybridClock clock;
    private final ScheduledExecutorService timer;
    private final BiConsumer<Entry, StoreOutcome> late;
    private final Counter dropped;
    private final Counter replayed;
    private final Counter attempts;
    private volatile boolean empty = true;
    private boolean replaying;
    private boolean dropping;
    private long pauseMillis = SHORTEST_PAUSE_MILLIS;
    private volatile BooleanSupplier mayTry = () -> true;

    /** Replays only while {@code condition} holds. */
    void tryWhile(BooleanSupplier condition) {
        mayTry = condition;
    }

    /** The tier seems to be back: it is tried soon, however long the pause has grown. */
    synchronized void hurry() {
        pauseMillis = SHORTEST_PAUSE_MILLIS;
    }

    /** How much of the room is taken, in percent. */
    synchronized int percentFull() {
        return dropping ? 100 : 100 * size() / MOST;
    }

    /**
     * @param late told what became of every write that was replayed
     */
    MissedWrites(
            Tier tier,
            HybridClock clock,
            ScheduledExecutorService timer,
            BiConsumer<Entry, StoreOutcome> late,
            MetricRegistry metrics) {
        this.late = late;
        this.tier = tier;
        this.clock = clock;
        this.timer = timer;
        String prefix = "missed_writes." + tier.level().name().toLowerCase(Locale.ROOT) + ".";
        this.dropped = metrics.counter(prefix + "dropped");
        this.replayed = metrics.counter(prefix + "replayed");
        this.attempts = metrics.counter(prefix + "attempts");
        metrics.remove(prefix + "pending");
        metrics.register(prefix + "pending", (Gauge<Integer>) this::size);
    }

    /** How many writes the tier missed and has yet to be told. */
    synchronized int size() {
        return (int) pending.values().stream().filter(Pending::missed).count();
    }

    /** A write that is on its way to the tier, and what is known of its fate. */
    private record Pending(Entry entry, boolean missed) {}

    /** Remembers a write that is about to be sent to the tier. */
    synchronized void begin(Entry entry) {
        Pending known = pending.get(entry.key());
        if (known == null && pending.size() >= MOST) {
            return; // While it is under way it shadows nothing; if it is missed too, that is counted.
        }
        if (known == null || entry.version().isNewerThan(known.entry().version())) {
            pending.put(entry.key(), new Pending(entry, false));
            empty = false;
        }
    }

    /** Remembers a write that the tier did not confirm. */
    synchronized void add(Entry entry) {
        Pending known = pending.get(entry.key());
        if (known != null && known.entry().version().isNewerThan(entry.version())) {
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
        pending.put(entry.key(), new Pending(entry, true));
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
            Pending known = pending.get(key);
            return known == null || known.entry().isExpired(clock.millis()) ? null : known.entry();
        }
    }

    /**
     * What the tier said, or what it should have said: a write that it missed counts as what it holds.
     *
     * @param before what {@link #pending} said before the tier was asked
     */
    Lookup shadowed(CacheKey key, @Nullable Entry before, Lookup said) {
        return newer(pending(key), newer(before, said));
    }

    private static Lookup newer(@Nullable Entry missed, Lookup said) {
        Version held = said instanceof Lookup.Hit hit ? hit.entry().version() : null;
        return missed != null && missed.version().isNewerThan(held) ? new Lookup.Hit(missed) : said;
    }

    /** The tier confirmed a write of this key, or holds something newer, so an older one need not be replayed. */
    void confirmed(Entry entry) {
        if (empty) {
            return;
        }
        synchronized (this) {
            Pending known = pending.get(entry.key());
            if (known != null && !known.entry().version().isNewerThan(entry.version())) {
                pending.remove(entry.key());
                empty = pending.isEmpty();
            }
        }
    }

    /** Another node has written {@code version}, and told so after the tier had it. */
    void overtaken(CacheKey key, Version version) {
        if (empty) {
            return;
        }
        synchronized (this) {
            Pending known = pending.get(key);
            if (known != null && version.isNewerThan(known.entry().version())) {
                pending.remove(key);
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
            pending.values().removeIf(known -> known.entry().isExpired(now));
            batch = pending.values().stream()
                    .filter(Pending::missed)
                    .map(Pending::entry)
                    .sorted(Comparator.comparing(Entry::version))
                    .limit(BATCH)
                    .toList();
        }
        if (batch.isEmpty()) {
            finish(true);
            return;
        }
        if (!mayTry.getAsBoolean()) {
            // Costs the tier nothing, so it need not become rare.
            finish(true);
            return;
        }
        attempts.inc();
        CompletionStage<List<StoreOutcome>> told;
        try {
            told = tier.putAll(batch);
        } catch (RuntimeException e) {
            told = CompletableFuture.failedStage(e);
        }
        told.whenComplete((outcomes, bug) -> {
            boolean reached = false;
            try {
                reached = bug == null && settle(batch, outcomes);
            } catch (RuntimeException e) {
                LOG.error("what a tier missed was replayed, and somebody failed to take note tier={}", tier.level(), e);
            } finally {
                // Whatever happened: else nothing would be replayed ever again.
                finish(reached);
            }
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
                late.accept(batch.get(i), outcomes.get(i));
            }
        }
        return reached;
    }

    private synchronized void finish(boolean reached) {
        replaying = false;
        pauseMillis = reached ? SHORTEST_PAUSE_MILLIS : Math.min(LONGEST_PAUSE_MILLIS, pauseMillis * 2);
        empty = pending.isEmpty();
        if (pending.values().stream().anyMatch(Pending::missed)) {
            schedule();
        } else {
            dropping = false;
        }
    }
}
