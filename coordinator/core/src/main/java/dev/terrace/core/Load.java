package dev.terrace.core;

import dev.terrace.api.Source;
import dev.terrace.api.TerraceException;
import dev.terrace.spi.Entry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One call of a loader, for one key or many. Thread-safe. */
final class Load implements Runnable {
    private final CacheState cache;
    private final List<Flight> claimed;
    private final Callable<Map<Flight, Payload>> loader;
    private final EntryMaker maker;
    private final Flights flights;
    private final Fills store;
    private final long started = System.nanoTime();
    private boolean answered;
    private @Nullable Future<?> alarm;

    /** What the loader gave for one key; null when there is no value. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Payload(byte @Nullable [] bytes) {}

    /** Makes the entry that a loaded payload becomes; null when a missing value is not worth remembering. */
    @FunctionalInterface
    interface EntryMaker {
        @Nullable
        Entry make(Flight flight, byte @Nullable [] payload);
    }

    Load(
            CacheState cache,
            List<Flight> claimed,
            Callable<Map<Flight, Payload>> loader,
            EntryMaker maker,
            Flights flights,
            Fills store) {
        this.cache = cache;
        this.claimed = List.copyOf(claimed);
        this.loader = loader;
        this.maker = maker;
        this.flights = flights;
        this.store = store;
        // Until the loader has ended, however late, its flights can be fenced.
        claimed.forEach(flights::retain);
    }

    /** Completes when every caller has been told, one way or the other. */
    CompletableFuture<Void> told() {
        return CompletableFuture.allOf(
                claimed.stream().map(flight -> flight.loaded).toArray(CompletableFuture[]::new));
    }

    /** Takes over what is to be cancelled once the origin has answered. */
    synchronized void setAlarm(Future<?> newAlarm) {
        alarm = newAlarm;
        if (answered) {
            newAlarm.cancel(false);
        }
    }

    private synchronized void silenceAlarm() {
        answered = true;
        if (alarm != null) {
            alarm.cancel(false);
        }
    }

    @Override
    public void run() {
        try {
            Map<Flight, Found> results = results(call());
            keep(results).whenComplete((kept, bug) -> {
                if (kept != null) {
                    kept.forEach((flight, entry) -> results.put(flight, new Found(entry, Source.LOADER)));
                }
                tell(results);
            });
        } catch (Throwable e) {
            // Errors too: a caller that waits must hear of them; the thread itself goes on.
            fail(Loads.failed(cache, e));
            leave();
        }
    }

    private Map<Flight, Payload> call() throws Exception {
        try {
            return loader.call();
        } finally {
            silenceAlarm();
            cache.load.update(System.nanoTime() - started, TimeUnit.NANOSECONDS);
        }
    }

    private Map<Flight, Found> results(Map<Flight, Payload> payloads) {
        Map<Flight, Found> results = new LinkedHashMap<>();
        for (Flight flight : claimed) {
            Payload payload = payloads.get(flight);
            Entry entry = maker.make(flight, payload == null ? null : payload.bytes());
            results.put(flight, entry == null ? Found.NOTHING : new Found(entry, Source.LOADER));
        }
        return results;
    }

    private CompletionStage<Map<Flight, Entry>> keep(Map<Flight, Found> results) {
        List<Fills.Fill> fills = new ArrayList<>();
        results.forEach((flight, found) -> {
            if (found.entry() != null) {
                fills.add(new Fills.Fill(flight, found.entry()));
            }
        });
        return store.load(cache, fills);
    }

    private void tell(Map<Flight, Found> results) {
        results.forEach((flight, found) -> flight.loaded.complete(found));
        leave();
    }

    /** Tells everyone who still waits. */
    void fail(TerraceException why) {
        // Counted first: who has been told must find it counted.
        if (claimed.stream().anyMatch(flight -> !flight.loaded.isDone())) {
            cache.loadFailures.inc();
        }
        claimed.forEach(flight -> flight.loaded.completeExceptionally(why));
    }

    /** Newcomers start anew; a late result may still be kept. */
    void abandon() {
        claimed.forEach(flights::abandon);
    }

    /** To be called once, when the loader has ended or will never run. */
    void leave() {
        claimed.forEach(flight -> flights.leave(flight, false));
    }
}
