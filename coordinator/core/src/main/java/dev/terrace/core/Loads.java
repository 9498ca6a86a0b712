package dev.terrace.core;

import dev.terrace.api.ClosedException;
import dev.terrace.api.LoaderException;
import dev.terrace.api.TerraceException;
import dev.terrace.config.LoadingRules;
import dev.terrace.config.LoadingSettings;
import dev.terrace.core.Load.EntryMaker;
import dev.terrace.spi.CacheKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * Asks the origin: loaders that block on bounded pools, one for callers who wait and a smaller one for refreshes that nobody waits for;
 * asynchronous ones without a thread. Ends waits in steps, which for one load are
 *
 * <pre>
 *   soft_timeout      callers with something stale answer it; those who come have no patience at all
 *   hard_timeout      the others are told that it takes too long; those who come wait for the same call, as long again
 *   loading.timeout   the loader is interrupted or cancelled; those who come start anew
 * </pre>
 *
 * <p>So there is at most one useful call per key under way: another one begins only when a write has made what the first one brings
 * worthless, when this node does not trust what it began, or when a loader ignores that it was interrupted. Thread-safe.
 */
final class Loads implements AutoCloseable {
    private final Flights flights;
    private final Fills fills;
    private final ScheduledExecutorService timer;
    private final LoadThrottle throttle;
    private final LoadMutant mutant;
    private final long timeoutMillis;
    private final int mostWaiters;
    private final LoaderLane foreground;
    private final LoaderLane background;
    private final Semaphore backgroundRoom;
    private final AtomicInteger waiters = new AtomicInteger();
    private LoadStart start = this::dispatch;

    /** Loads that have not ended, so that closing can tell their callers. */
    private final Set<Load> underWay = ConcurrentHashMap.newKeySet();

    /** Loads whose first callers have gone, by key: whoever comes now waits for them. */
    private final ConcurrentHashMap<CacheKey, Load> overdue = new ConcurrentHashMap<>();

    Loads(
            Flights flights,
            Fills fills,
            LoadThrottle throttle,
            ScheduledExecutorService timer,
            LoadingSettings settings,
            LoaderLane foreground,
            LoaderLane background,
            LoadMutant mutant) {
        this.flights = flights;
        this.fills = fills;
        this.throttle = throttle;
        this.timer = timer;
        this.mutant = mutant;
        this.timeoutMillis = settings.timeout().toMillis();
        this.mostWaiters = settings.waiters();
        this.foreground = foreground;
        this.background = mutant == LoadMutant.BACKGROUND_IN_FRONT ? foreground : background;
        this.backgroundRoom = new Semaphore(settings.backgroundThreads() * (1 + LoaderLane.QUEUED_PER_THREAD));
    }

    /** Puts a link before those that are there. To be called before the first load. */
    void startThrough(UnaryOperator<LoadStart> link) {
        start = link.apply(start);
    }

    LoadThrottle throttle() {
        return throttle;
    }

    LoadMutant mutant() {
        return mutant;
    }

    /** One more caller who will wait; false when there are too many. Every true needs one {@link #waited}. */
    boolean mayWait() {
        if (waiters.incrementAndGet() <= mostWaiters) {
            return true;
        }
        waiters.decrementAndGet();
        return false;
    }

    void waited() {
        waiters.decrementAndGet();
    }

    /** Room for one load in the background; false when too many wait already. Handed over to {@link #refresh}, or given back. */
    boolean reserve() {
        return backgroundRoom.tryAcquire();
    }

    void giveBack() {
        backgroundRoom.release();
    }

    /** Loads for flights whose loads the caller has claimed, and whose callers wait. */
    void load(CacheState cache, List<Claim> claimed, LoaderCall call, EntryMaker maker) {
        List<Claim> open = overdue.isEmpty() ? claimed : withoutOverdue(cache, claimed);
        if (!open.isEmpty()) {
            begin(new Load(cache, open, call, maker, false, flights, fills, throttle));
        }
    }

    /** As {@link #load}, for nobody who waits, with room that was {@linkplain #reserve reserved}. */
    void refresh(CacheState cache, List<Claim> claimed, LoaderCall call, EntryMaker maker) {
        List<Claim> open = overdue.isEmpty() ? claimed : withoutOverdue(cache, claimed);
        if (open.isEmpty()) {
            giveBack();
            return;
        }
        cache.refreshes.inc();
        Load load = new Load(cache, open, call, maker, true, flights, fills, throttle);
        load.ended().whenComplete((done, failure) -> giveBack());
        begin(load);
        // Who joined before the load was there could not say that it is wanted.
        open.forEach(claim -> wantedIfSo(claim.flight()));
    }

    private void wantedIfSo(Flight flight) {
        if (flight.wanted) {
            wanted(flight);
        }
    }

    private List<Claim> withoutOverdue(CacheState cache, List<Claim> claimed) {
        List<Claim> open = new ArrayList<>(claimed.size());
        for (Claim claim : claimed) {
            Load running = overdue.get(claim.flight().key);
            if (running != null
                    && mutant != LoadMutant.CALL_AFTER_TIMEOUT
                    && claim.flight().sharesOlder
                    && running.join(claim, mutant == LoadMutant.OVERTAKEN_CALL_JOINED)) {
                cache.sharedLoads.inc();
                arm(running, List.of(claim), claim.rules(), false);
            } else {
                open.add(claim);
            }
        }
        return open;
    }

    private void begin(Load load) {
        load.cache().loads.inc();
        underWay.add(load);
        load.ended().whenComplete((done, failure) -> underWay.remove(load));
        start.start(load);
        if (!load.isSettled()) {
            arm(load);
        }
    }

    /** Somebody waits for the flight: its load must not wait behind others in the background. */
    void wanted(Flight flight) {
        flight.wanted = true;
        Load load = flight.load;
        if (load != null) {
            load.becomeForeground();
            if (load.isWaiting() && load.call().blocks() && background.remove(load.task())) {
                enter(foreground, load);
            }
        }
    }

    /** The last link: runs the loader. */
    private void dispatch(Load load) {
        if (load.isOver()) {
            return;
        }
        if (load.call().blocks()) {
            enter(load.isBackground() ? background : foreground, load);
        } else {
            load.run();
        }
    }

    private void enter(LoaderLane lane, Load load) {
        try {
            lane.execute(load.task());
        } catch (RejectedExecutionException e) {
            load.refuse(saturated(load.cache(), lane, e));
        } catch (OutOfMemoryError e) {
            // No thread could be started; without an answer the callers would wait for nobody.
            load.refuse(failed(load.cache(), e));
        }
    }

    private void arm(Load load) {
        List<Claim> claims = load.claims();
        if (claims.size() == 1) {
            arm(load, claims, claims.get(0).rules(), true);
            return;
        }
        Map<LoadingRules, List<Claim>> cohorts = new LinkedHashMap<>();
        claims.forEach(claim -> cohorts.computeIfAbsent(claim.rules(), rules -> new ArrayList<>())
                .add(claim));
        boolean first = true;
        for (Map.Entry<LoadingRules, List<Claim>> cohort : cohorts.entrySet()) {
            arm(load, cohort.getValue(), cohort.getKey(), first);
            first = false;
        }
    }

    /**
     * @param whole whether this also ends the load itself
     */
    private void arm(Load load, List<Claim> cohort, LoadingRules rules, boolean whole) {
        long hard = load.cache().stance().waitMillis(rules.hardTimeout().toMillis());
        long soft = rules.softTimeout().toMillis();
        Runnable last = () -> {
            endWait(load, cohort, hard);
            if (whole) {
                after(load, timeoutMillis - hard, () -> cut(load));
            }
        };
        if (soft < hard && mutant != LoadMutant.SOFT_TIMEOUT_FORGOTTEN) {
            after(load, soft, () -> {
                load.endPatience(cohort);
                after(load, hard - soft, last);
            });
        } else {
            after(load, hard, last);
        }
    }

    private void after(Load load, long millis, Runnable step) {
        if (millis <= 0) {
            step.run();
            return;
        }
        try {
            load.addAlarm(timer.schedule(step, millis, TimeUnit.MILLISECONDS));
        } catch (RejectedExecutionException e) {
            // Closing: nobody would end the wait.
            load.fail(new ClosedException("the cache coordinator"));
        }
    }

    private void endWait(Load load, List<Claim> cohort, long hard) {
        if (mutant == LoadMutant.HARD_TIMEOUT_FORGOTTEN) {
            return;
        }
        if (hard < timeoutMillis) {
            for (Claim claim : cohort) {
                overdue.put(claim.flight().key, load);
                load.ended().whenComplete((done, failure) -> overdue.remove(claim.flight().key, load));
            }
            load.endWait(cohort, tooSlow(load.cache(), hard));
        }
    }

    private void cut(Load load) {
        load.claims().forEach(claim -> overdue.remove(claim.flight().key, load));
        if (load.call().blocks()) {
            foreground.remove(load.task());
            background.remove(load.task());
        }
        load.cut(neverFree(load.cache()), tooSlow(load.cache(), timeoutMillis));
    }

    private TerraceException saturated(CacheState cache, LoaderLane lane, RejectedExecutionException e) {
        if (lane.isClosed()) {
            return new ClosedException("the cache coordinator");
        }
        return new LoaderException(
                "no loader thread free for cache '" + cache.name + "': " + lane.load(),
                "make the loader faster or raise loading.threads",
                e);
    }

    private static LoaderException tooSlow(CacheState cache, long millis) {
        return new LoaderException(
                "the loader of cache '" + cache.name + "' took longer than " + millis + " ms",
                "make it faster, raise hard_timeout or loading.timeout, or allow stale answers with stale_ttl",
                null);
    }

    private LoaderException neverFree(CacheState cache) {
        return new LoaderException(
                "no loader thread became free for cache '" + cache.name + "' within " + timeoutMillis + " ms",
                "make the loaders faster or raise loading.threads",
                null);
    }

    LoaderException tooManyWait(CacheState cache) {
        return new LoaderException(
                mostWaiters + " callers wait for loaders already, one more of cache '" + cache.name + "' is refused",
                "make the loaders faster or raise loading.waiters",
                null);
    }

    static TerraceException failed(CacheState cache, Throwable e) {
        if (e instanceof LoaderException || e instanceof ClosedException) {
            return (TerraceException) e;
        }
        String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new LoaderException("the loader of cache '" + cache.name + "' failed: " + why, "", e);
    }

    /** Stops taking loads, interrupts those under way and tells everyone who waits for one. */
    @Override
    public void close() {
        foreground.close();
        background.close();
        underWay.forEach(load -> load.fail(new ClosedException("the cache coordinator")));
    }

    /** How long the longest wait for a loader is. */
    Duration timeout() {
        return Duration.ofMillis(timeoutMillis);
    }
}
