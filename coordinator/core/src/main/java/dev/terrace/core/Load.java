package dev.terrace.core;

import dev.terrace.api.LoaderException;
import dev.terrace.api.Source;
import dev.terrace.api.TerraceException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One call of a loader, for one key or many, from the moment it is wanted until the loader has ended. Thread-safe.
 *
 * <pre>
 *   WAITING --begin--> RUNNING --the loader ends, or an asynchronous one is cut--> OVER
 *      \------refused, answered by others, or cut before it began------------------^
 * </pre>
 *
 * <p>Callers are told independently of that: those whose time is over leave, and the loader goes on; those who come then join it, and
 * are told when it ends.
 */
final class Load implements Runnable {
    private enum State {
        WAITING,
        RUNNING,
        OVER
    }

    private final CacheState cache;
    private final List<Claim> claims;
    private final LoaderCall call;
    private final EntryMaker maker;
    private final Flights flights;
    private final Fills store;
    private final LoadThrottle throttle;
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile boolean background;
    private volatile long beganNanos;
    private volatile Map<Flight, Found> spared = Map.of();
    private volatile @Nullable Runnable whenGivenUp;

    /** What the loader brought, while that is being stored. */
    private volatile Map<Flight, Found> storing = Map.of();

    /** The load whose loader runs on a thread. */
    private static final ThreadLocal<@Nullable Load> CALLING = new ThreadLocal<>();

    /** What waits for it, in a loader. */
    private final @Nullable Load within;

    // Guarded by this.
    private List<Claim> joined = List.of();
    private boolean told;
    private boolean settled;
    private @Nullable Future<?> alarm;
    private @Nullable List<Future<?>> moreAlarms;
    private @Nullable FutureTask<?> task;
    private @Nullable CompletionStage<?> said;

    /** Makes the entry that an answer becomes; null when a missing value is not worth remembering. */
    @FunctionalInterface
    interface EntryMaker {
        @Nullable
        Entry make(Flight flight, Brought brought);
    }

    Load(
            CacheState cache,
            List<Claim> claims,
            LoaderCall call,
            EntryMaker maker,
            boolean background,
            Flights flights,
            Fills store,
            LoadThrottle throttle) {
        this.cache = cache;
        this.claims = claims;
        this.call = call;
        this.maker = maker;
        this.background = background;
        this.flights = flights;
        this.store = store;
        this.throttle = throttle;
        this.within = claims.get(0).within();
        for (Claim claim : claims) {
            // Until the loader has ended, however late, its flights can be fenced, and joined.
            flights.retain(claim.flight());
            claim.flight().load = this;
        }
    }

    CacheState cache() {
        return cache;
    }

    /** The flights whose values it is to bring. */
    List<Claim> claims() {
        return claims;
    }

    /** Those that the loader is to be asked for. */
    List<Claim> asked() {
        Map<Flight, Found> known = spared;
        return known.isEmpty()
                ? claims
                : claims.stream()
                        .filter(claim -> !known.containsKey(claim.flight()))
                        .toList();
    }

    /** The loader is not needed for these: whoever waits for them is told what others found. Before the loader is called. */
    void spare(Map<Flight, Found> found) {
        spared = Map.copyOf(found);
        found.forEach((flight, what) -> flight.loaded.complete(what));
    }

    LoaderCall call() {
        return call;
    }

    /** True while nobody waits for it. */
    boolean isBackground() {
        return background;
    }

    /** True until the loader is called, or is certain not to be. */
    boolean isWaiting() {
        return state.get() == State.WAITING;
    }

    /** Somebody waits for it now. */
    void becomeForeground() {
        background = false;
    }

    /** Completes when the loader has ended, as it did, or is certain never to run. */
    CompletionStage<Void> ended() {
        return ended;
    }

    /** True when the loader was called. */
    boolean hasBegun() {
        return beganNanos != 0;
    }

    /** The load whose loader runs on this thread; null outside of loaders. */
    static @Nullable Load calling() {
        return CALLING.get();
    }

    /** True when its loader cannot end before {@code other} does: it is the same, or asked for within it. */
    boolean isWithin(Load other) {
        for (Load outer = this; outer != null; outer = outer.within) {
            if (outer == other) {
                return true;
            }
        }
        return false;
    }

    /** What is to be done when the loader was called, has taken too long, and may go on all the same. To be said before it is called. */
    void whenGivenUp(Runnable action) {
        whenGivenUp = action;
    }

    /** True when there is nothing left to do for it. */
    boolean isOver() {
        return state.get() == State.OVER;
    }

    /** Callers of later flights of a key wait for the same call; false when it has ended or would tell them too little. */
    synchronized boolean join(Claim claim, boolean alsoOvertaken) {
        if (told) {
            return false;
        }
        for (Claim own : claims) {
            if (own.flight().key.equals(claim.flight().key)
                    && (alsoOvertaken || !own.flight().isFenced())) {
                joined = new ArrayList<>(joined);
                joined.add(claim);
                flights.retain(claim.flight());
                claim.flight().load = this;
                return true;
            }
        }
        return false;
    }

    /** Takes over what is to be cancelled once everyone is told. */
    synchronized void addAlarm(Future<?> newAlarm) {
        if (settled) {
            newAlarm.cancel(false);
        } else if (alarm == null || alarm.isDone()) {
            alarm = newAlarm;
        } else {
            List<Future<?>> more = moreAlarms == null ? new ArrayList<>() : moreAlarms;
            more.removeIf(Future::isDone);
            more.add(newAlarm);
            moreAlarms = more;
        }
    }

    /** True when everyone is being told what came of it. */
    synchronized boolean isSettled() {
        return settled;
    }

    private synchronized void silenceAlarms() {
        settled = true;
        if (alarm != null) {
            alarm.cancel(false);
        }
        if (moreAlarms != null) {
            moreAlarms.forEach(each -> each.cancel(false));
        }
    }

    /** What a thread is to run; for loaders that block. */
    synchronized FutureTask<?> task() {
        if (task == null) {
            task = new FutureTask<>(this, null);
        }
        return task;
    }

    private synchronized @Nullable FutureTask<?> taskIfAny() {
        return task;
    }

    /** Calls the loader, on this thread. */
    @Override
    public void run() {
        if (!state.compareAndSet(State.WAITING, State.RUNNING)) {
            return;
        }
        beganNanos = flights.nowNanos();
        CompletionStage<Map<Flight, Brought>> stage;
        Load outer = CALLING.get();
        CALLING.set(this);
        try {
            stage = call.call(this);
            synchronized (this) {
                said = stage;
            }
            stage.whenComplete(this::end);
        } catch (Throwable e) {
            // Errors too: a caller that waits must hear of them; the thread itself goes on.
            end(null, e);
        } finally {
            CALLING.set(outer);
        }
    }

    private void end(@Nullable Map<Flight, Brought> brought, @Nullable Throwable failure) {
        long took = flights.nowNanos() - beganNanos;
        cache.load.update(took, TimeUnit.NANOSECONDS);
        if (!state.compareAndSet(State.RUNNING, State.OVER)) {
            // Cut and cancelled: whoever cut it has told everyone.
            silenceAlarms();
            return;
        }
        if (brought == null) {
            Throwable why =
                    failure == null ? new NullPointerException("the loader gave null") : Gate.unwrapped(failure);
            fail(Loads.failed(cache, why));
            leave(why);
            return;
        }
        if (claims.size() == 1) {
            cache.loadTime.note(claims.get(0).flight().key, took);
        } else {
            cache.loadTime.note(took);
        }
        try {
            settle(brought);
        } catch (RuntimeException | Error e) {
            fail(Loads.failed(cache, e));
            leave(e);
        }
    }

    private void settle(Map<Flight, Brought> brought) {
        Map<Flight, Found> results = new LinkedHashMap<>(spared);
        Map<Flight, TerraceException> failures = new LinkedHashMap<>();
        List<Fills.Fill> fills = new ArrayList<>(claims.size());
        for (Claim claim : asked()) {
            Flight flight = claim.flight();
            Brought one = brought.getOrDefault(flight, Brought.NOT_FOUND);
            try {
                if (one.failure() != null) {
                    throw one.failure();
                }
                Entry entry = maker.make(flight, one);
                results.put(flight, entry == null ? Found.NOTHING : new Found(entry, Source.LOADER));
                if (entry != null) {
                    fills.add(new Fills.Fill(flight, entry));
                }
                if (!flight.isFenced()) {
                    throttle.forget(flight.key);
                }
            } catch (Throwable e) {
                failures.put(flight, Loads.failed(cache, e));
            }
        }
        // Who has no time left does not wait until a slow tier has it, too.
        storing = Map.copyOf(results);
        store.load(cache, fills).whenComplete((kept, bug) -> {
            if (kept != null) {
                kept.forEach((flight, entry) -> results.put(flight, new Found(entry, Source.LOADER)));
            }
            tell(results, failures);
            leave(failures.isEmpty() ? null : failures.values().iterator().next());
        });
    }

    private void tell(Map<Flight, Found> results, Map<Flight, TerraceException> failures) {
        silenceAlarms();
        List<Claim> late = lastToJoin();
        failures.forEach(this::failOne);
        results.forEach((flight, found) -> flight.loaded.complete(found));
        for (Claim claim : late) {
            Claim own = ownOf(claim.flight().key);
            TerraceException failure = failures.get(own.flight());
            if (failure != null) {
                failOne(claim.flight(), failure);
            } else {
                claim.flight().loaded.complete(results.getOrDefault(own.flight(), Found.NOTHING));
            }
        }
    }

    private Claim ownOf(CacheKey key) {
        return claims.stream()
                .filter(own -> own.flight().key.equals(key))
                .findFirst()
                .orElseThrow();
    }

    private synchronized List<Claim> lastToJoin() {
        told = true;
        return joined;
    }

    private void failOne(Flight flight, TerraceException why) {
        noteTrouble(flight);
        if (!flight.loaded.isDone()) {
            // Counted first: who has been told must find it counted.
            cache.loadFailures.inc();
        }
        flight.loaded.completeExceptionally(why);
    }

    private void noteTrouble(Flight flight) {
        for (Claim claim : claims) {
            if (claim.flight().key.equals(flight.key)) {
                throttle.note(flight.key, claim.rules().failSafeThrottle());
            }
        }
    }

    /** Whoever has something stale has waited long enough; the loader goes on. */
    void endPatience(List<Claim> cohort) {
        if (handOut(cohort)) {
            return;
        }
        for (Claim claim : cohort) {
            throttle.note(claim.flight().key, claim.rules().failSafeThrottle());
            claim.flight().patience.complete(null);
        }
        cache.softTimeouts.inc();
    }

    /** These have waited long enough; newcomers do not share their wait, the loader goes on. */
    void endWait(List<Claim> cohort, TerraceException why) {
        if (handOut(cohort)) {
            return;
        }
        cohort.forEach(claim -> flights.abandon(claim.flight()));
        failOnce(cohort, why);
    }

    /** Tells them what the loader has brought already; false when it has not ended. */
    private boolean handOut(List<Claim> cohort) {
        Map<Flight, Found> brought = storing;
        for (Claim claim : cohort) {
            Found found = brought.get(ownOf(claim.flight().key).flight());
            if (found != null) {
                claim.flight().loaded.complete(found);
            }
        }
        return !brought.isEmpty();
    }

    private void failOnce(List<Claim> cohort, TerraceException why) {
        for (Claim claim : cohort) {
            throttle.note(claim.flight().key, claim.rules().failSafeThrottle());
        }
        if (cohort.stream().anyMatch(claim -> !claim.flight().loaded.isDone())) {
            cache.loadFailures.inc();
        }
        cohort.forEach(claim -> claim.flight().loaded.completeExceptionally(why));
    }

    /** Tells everyone who still waits. */
    void fail(TerraceException why) {
        silenceAlarms();
        List<Claim> all = new ArrayList<>(claims);
        all.addAll(lastToJoin());
        failOnce(all, why);
    }

    /** The loader is not to be called; everyone is told why. False when it was called already. */
    boolean refuse(TerraceException why) {
        if (!state.compareAndSet(State.WAITING, State.OVER)) {
            return false;
        }
        fail(why);
        leave(why);
        return true;
    }

    /**
     * The loader is not needed: everyone is told what others found. False when it was called already.
     *
     * @param found what was found for one of the flights; stored by whoever found it
     */
    boolean answer(Function<Flight, Found> found) {
        if (!state.compareAndSet(State.WAITING, State.OVER)) {
            return false;
        }
        Map<Flight, Found> results = new LinkedHashMap<>();
        claims.forEach(claim -> results.put(claim.flight(), found.apply(claim.flight())));
        tell(results, Map.of());
        leave(null);
        return true;
    }

    /** The loader has taken too long, or has waited too long for its turn: it is interrupted or cancelled, and everyone told. */
    void cut(LoaderException neverBegan, LoaderException tookTooLong) {
        if (!storing.isEmpty()) {
            handOut(claims); // The loader has ended; tiers have deadlines of their own.
            return;
        }
        claims.forEach(claim -> flights.abandon(claim.flight()));
        if (refuse(neverBegan)) {
            return;
        }
        fail(tookTooLong);
        Runnable action = whenGivenUp;
        if (action != null) {
            action.run();
        }
        FutureTask<?> running = taskIfAny();
        if (running != null) {
            // If it ends all the same, what it brings is kept by its version.
            running.cancel(true);
            return;
        }
        CompletionStage<?> stage;
        synchronized (this) {
            stage = said;
        }
        if (stage != null && state.compareAndSet(State.RUNNING, State.OVER)) {
            // Nothing shows whether it will ever end, so nothing may depend on it.
            leave(tookTooLong);
            cancel(stage);
        }
    }

    private static void cancel(CompletionStage<?> stage) {
        try {
            stage.toCompletableFuture().cancel(true);
        } catch (UnsupportedOperationException e) {
            // It cannot be cancelled; what it brings is ignored.
        }
    }

    /** Newcomers start anew. */
    private void leave(@Nullable Throwable why) {
        claims.forEach(claim -> flights.leave(claim.flight(), true));
        lastToJoin().forEach(claim -> flights.leave(claim.flight(), true));
        if (why == null) {
            ended.complete(null);
        } else {
            ended.completeExceptionally(why);
        }
    }
}
