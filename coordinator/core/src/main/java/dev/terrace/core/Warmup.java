package dev.terrace.core;

import dev.terrace.api.BadInputException;
import dev.terrace.core.WarmupReport.Outcome;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.EntrySource;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.TierStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One warm-up: the hottest keys first, then part by part, by a few {@link WarmupWorker}s, while the thread that runs it looks after targets,
 * pace and leases and tells how far it is. Used once.
 *
 * <p>What is on its way is bounded by the plan's memory, however much L3 holds: each worker has at most two batches under way and one that it
 * fills, of a mebibyte each unless one entry is larger.
 */
final class Warmup {
    private static final int HOT_AT_ONCE = 200;
    private static final int MOST_WORKERS = 4;
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long AWAY_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long AWAY_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final double FULL = 0.98;

    private final Engine engine;
    private final WarmupPlan plan;
    private final Function<String, CacheState> states;
    private final Consumer<WarmupProgress> listener;
    private final @Nullable EntrySource source;
    private final WarmupTally tally;
    private final WarmupPace pace;
    private final Foreground foreground;
    private final HitRatio hitRatio;
    private final Queue<List<CacheKey>> hot = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Outcome> over = new AtomicReference<>();
    private final AtomicReference<@Nullable Throwable> bug = new AtomicReference<>();
    private final AtomicInteger hotOpen = new AtomicInteger();
    private final AtomicLong admittedBytes = new AtomicLong();
    private final AtomicLong awaySince = new AtomicLong();
    private final long started = System.nanoTime();
    private final long evictionsBefore;
    private final long total;
    private final WarmupShares shares;
    private volatile boolean localFull;
    private volatile boolean away;

    /**
     * @param source null when there is none
     */
    Warmup(
            Engine engine,
            WarmupPlan plan,
            @Nullable EntrySource source,
            Function<String, CacheState> states,
            Consumer<WarmupProgress> listener) {
        this.engine = engine;
        this.plan = plan;
        this.source = source;
        this.states = states;
        this.listener = listener;
        Warming warming = engine.warming();
        this.tally = new WarmupTally(warming.metrics());
        this.pace = new WarmupPace(plan.entriesPerSecond(), plan.yieldAboveNanos(), System::nanoTime);
        this.foreground = new Foreground(warming.metrics(), () -> engine.gate().inside());
        this.hitRatio = new HitRatio(warming.metrics(), plan);
        this.evictionsBefore = warming.localEvictions();
        this.total = source == null ? -1 : source.status().entries();
        boolean together = plan.shared()
                && engine.tiers().remote() != null
                && warming.fleet().peeking() != null;
        LeaseStore leases = together ? warming.fleet().leases() : null;
        this.shares = new WarmupShares(
                leases,
                leases == null ? null : engine.tiers().remote(),
                source == null ? "" : source.layout(),
                plan.caches(),
                engine.clock(),
                System::nanoTime);
    }

    WarmupPlan plan() {
        return plan;
    }

    WarmupTally tally() {
        return tally;
    }

    WarmupPace pace() {
        return pace;
    }

    WarmupShares shares() {
        return shares;
    }

    CacheState state(String cache) {
        return states.apply(cache);
    }

    boolean isOver() {
        return over.get() != null;
    }

    /** Whether it is over, and what was gathered is not wanted any more either. */
    boolean isBrokenOff() {
        Outcome outcome = over.get();
        return outcome != null && outcome != Outcome.REACHED_LIMIT && outcome != Outcome.REACHED_BYTES;
    }

    private void end(Outcome outcome) {
        over.compareAndSet(null, outcome);
    }

    /** The next of the hottest keys; null when there are no more. */
    @Nullable
    List<CacheKey> nextHot() {
        return hot.poll();
    }

    /** Some of the hottest keys are on their way. */
    void hotSent() {
        hotOpen.decrementAndGet();
    }

    /** Whether the rest may begin. */
    boolean isHotSent() {
        return hotOpen.get() == 0;
    }

    /** Whether one more entry of so many bytes is within the plan; says that the warm-up is over when it is not. */
    boolean admit(int bytes) {
        if (tally.read.incrementAndGet() > plan.maxEntries()) {
            tally.read.decrementAndGet();
            end(Outcome.REACHED_LIMIT);
            return false;
        }
        if (admittedBytes.addAndGet(bytes) > plan.maxBytes()) {
            end(Outcome.REACHED_BYTES);
            return false;
        }
        return true;
    }

    /** Filling L1 beyond its room would evict the hot for the cold. */
    boolean localHasRoom() {
        return !localFull;
    }

    /** Waits a little, for L2 did not answer; false when that has lasted too long, or nobody wants to wait. */
    boolean remoteIsAway() {
        long now = System.nanoTime();
        if (!away) {
            awaySince.set(now);
            away = true;
        } else if (now - awaySince.get() > AWAY_NANOS) {
            end(Outcome.REMOTE_AWAY);
        }
        if (isOver()) {
            return false;
        }
        LockSupport.parkNanos(AWAY_PAUSE_NANOS);
        return true;
    }

    void remoteAnswered() {
        away = false;
    }

    WarmupReport run() {
        if (source == null) {
            throw new BadInputException("nothing to warm up from: there is no L3", "set backup_storage.enabled: true");
        }
        awaitKeys(source);
        List<CacheKey> hottest = Waiting.on(engine.warming().keeper().hottest(source)).stream()
                .filter(key -> plan.wants(key.cache()))
                .toList();
        for (int from = 0; from < hottest.size(); from += HOT_AT_ONCE) {
            hot.add(hottest.subList(from, Math.min(hottest.size(), from + HOT_AT_ONCE)));
        }
        hotOpen.set(hot.size());
        List<Thread> workers = start(source);
        try {
            conduct(workers);
        } finally {
            // Whatever ends this, nothing goes on unseen.
            end(Outcome.STOPPED);
            workers.forEach(Warmup::join);
            shares.giveBack();
        }
        Throwable failure = bug.get();
        if (failure instanceof Error error) {
            throw error;
        } else if (failure instanceof RuntimeException exception) {
            throw exception;
        }
        WarmupProgress last = progress();
        listener.accept(last);
        return new WarmupReport(last, outcome());
    }

    /** What is being restored says after a moment what it will have. */
    private void awaitKeys(EntrySource from) {
        while (from.readiness() == EntrySource.Readiness.NOT_YET && !isOver()) {
            if (Thread.currentThread().isInterrupted() || engine.gate().isClosed()) {
                end(Outcome.STOPPED);
            } else if (System.nanoTime() - started > plan.maxTime().toNanos()) {
                end(Outcome.REACHED_TIME);
            } else {
                listener.accept(progress());
                LockSupport.parkNanos(LOOK_NANOS);
            }
        }
    }

    private Outcome outcome() {
        Outcome outcome = over.get();
        return outcome == null ? Outcome.STOPPED : outcome;
    }

    private List<Thread> start(EntrySource from) {
        int count = Math.max(1, Math.min(MOST_WORKERS, Runtime.getRuntime().availableProcessors()));
        LocalTier local = plan.localToo() ? engine.tiers().local() : null;
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            WarmupWorker worker = new WarmupWorker(this, engine, from, local, plan.memoryBytes() / count);
            Thread thread = new Thread(() -> guarded(worker), "terrace-warmup-" + i);
            thread.setDaemon(true);
            thread.start();
            workers.add(thread);
        }
        return workers;
    }

    private void guarded(WarmupWorker worker) {
        try {
            worker.run();
        } catch (RuntimeException | Error e) {
            // The others must not wait for what this one had taken.
            bug.compareAndSet(null, e);
            end(Outcome.STOPPED);
        }
    }

    private static void join(Thread worker) {
        boolean interrupted = false;
        while (worker.isAlive()) {
            try {
                // They look every few milliseconds whether all is over, and no call of a tier lasts.
                worker.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void conduct(List<Thread> workers) {
        listener.accept(progress());
        while (workers.stream().anyMatch(Thread::isAlive)) {
            if (Thread.currentThread().isInterrupted() || engine.gate().isClosed()) {
                end(Outcome.STOPPED);
                return;
            }
            if (System.nanoTime() - started > plan.maxTime().toNanos()) {
                end(Outcome.REACHED_TIME);
            }
            if (hitRatio.isReached()) {
                end(Outcome.REACHED_HIT_RATIO);
            }
            lookAtLocal();
            pace.heed(foreground.since());
            shares.renew();
            listener.accept(progress());
            awaitOne(workers);
        }
        end(Outcome.EXHAUSTED);
    }

    /** For a look's time, or until a worker has ended. */
    private static void awaitOne(List<Thread> workers) {
        for (Thread worker : workers) {
            if (worker.isAlive()) {
                try {
                    worker.join(TimeUnit.NANOSECONDS.toMillis(LOOK_NANOS));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return;
            }
        }
    }

    private void lookAtLocal() {
        LocalTier local = engine.tiers().local();
        if (localFull || local == null) {
            return;
        }
        TierStatus status = local.status();
        localFull = engine.warming().localEvictions() > evictionsBefore
                || status.entries() >= FULL * engine.settings().localCache().capacity();
        if (localFull && engine.tiers().remote() == null) {
            end(Outcome.LOCAL_FULL);
        }
    }

    private WarmupProgress progress() {
        return new WarmupProgress(
                tally.read.get(),
                tally.copied.get(),
                tally.superseded.get(),
                tally.failed.get(),
                tally.doubted.get(),
                tally.bytes.get(),
                total,
                shares.finished(),
                WarmupShares.PARTS,
                pace.entriesPerSecond(),
                Duration.ofNanos(System.nanoTime() - started));
    }
}
