package dev.terrace.core;

import dev.terrace.api.ClosedException;
import dev.terrace.api.LoaderException;
import dev.terrace.api.Source;
import dev.terrace.api.TerraceException;
import dev.terrace.config.LoadingSettings;
import dev.terrace.spi.Entry;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Asks the origin on a bounded pool, within a bounded time. A loader that outlives its time is interrupted and its callers
 * are told; if it ends all the same, its result is kept by version. Thread-safe.
 */
final class Loads implements AutoCloseable {
    /** Loads that may wait for a thread, per thread. */
    private static final int QUEUED_PER_THREAD = 16;

    private final Flights flights;
    private final Writes writes;
    private final ScheduledExecutorService timer;
    private final ThreadPoolExecutor pool;
    private final long timeoutMillis;
    private final AtomicInteger threadNumber = new AtomicInteger();

    /** Flights whose callers wait for a load, so that closing can tell them. */
    private final Set<Flight> awaited = ConcurrentHashMap.newKeySet();

    Loads(Flights flights, Writes writes, ScheduledExecutorService timer, LoadingSettings settings) {
        this.flights = flights;
        this.writes = writes;
        this.timer = timer;
        this.timeoutMillis = settings.timeout().toMillis();
        this.pool = new ThreadPoolExecutor(
                settings.threads(),
                settings.threads(),
                30,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(QUEUED_PER_THREAD * settings.threads()),
                task -> {
                    Thread thread = new Thread(task, "terrace-loader-" + threadNumber.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
    }

    /** Makes the entry that a loaded payload becomes; null when a missing value is not worth remembering. */
    @FunctionalInterface
    interface EntryMaker {
        @Nullable
        Entry make(Flight flight, byte @Nullable [] payload);
    }

    /** Loads one key for a flight whose load the caller has claimed. */
    void one(CacheState cache, Flight flight, Callable<byte @Nullable []> loader, EntryMaker maker) {
        run(
                cache,
                List.of(flight),
                () -> {
                    byte[] payload = loader.call();
                    return Map.of(flight, new Payload(payload));
                },
                maker);
    }

    /** What the loader gave for one key; null when there is no value. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Payload(byte @Nullable [] bytes) {}

    /** Loads many keys with one call, for flights whose loads the caller has claimed. */
    void run(CacheState cache, List<Flight> claimed, Callable<Map<Flight, Payload>> loader, EntryMaker maker) {
        cache.loads.inc();
        claimed.forEach(flights::retain);
        awaited.addAll(claimed);
        long started = System.nanoTime();
        Future<?> task;
        try {
            task = pool.submit(() -> call(cache, claimed, loader, maker, started));
        } catch (RejectedExecutionException e) {
            fail(cache, claimed, saturated(cache, e));
            claimed.forEach(awaited::remove);
            claimed.forEach(flights::leave);
            return;
        }
        ScheduledFuture<?> alarm = timer.schedule(
                () -> {
                    claimed.forEach(flights::abandon);
                    fail(cache, claimed, tooSlow(cache));
                    task.cancel(true);
                },
                timeoutMillis,
                TimeUnit.MILLISECONDS);
        CompletableFuture.allOf(claimed.stream().map(flight -> flight.loaded).toArray(CompletableFuture[]::new))
                .whenComplete((done, failure) -> {
                    alarm.cancel(false);
                    claimed.forEach(awaited::remove);
                });
    }

    private void call(
            CacheState cache,
            List<Flight> claimed,
            Callable<Map<Flight, Payload>> loader,
            EntryMaker maker,
            long started) {
        Map<Flight, Payload> payloads;
        try {
            payloads = loader.call();
        } catch (Throwable e) {
            // Errors too: a caller that waits must hear of them; the thread itself goes on.
            fail(cache, claimed, failed(cache, e));
            claimed.forEach(flights::leave);
            return;
        } finally {
            cache.load.update(System.nanoTime() - started, TimeUnit.NANOSECONDS);
        }
        for (Flight flight : claimed) {
            Payload payload = payloads.getOrDefault(flight, new Payload(null));
            Entry entry = maker.make(flight, payload.bytes());
            if (entry == null) {
                flight.loaded.complete(Found.NOTHING);
                flights.leave(flight);
                continue;
            }
            Found found = new Found(entry, Source.LOADER);
            writes.fill(cache, flight, entry).whenComplete((done, bug) -> {
                flight.loaded.complete(found);
                flights.leave(flight);
            });
        }
    }

    private static void fail(CacheState cache, List<Flight> claimed, TerraceException why) {
        boolean told = false;
        for (Flight flight : claimed) {
            told |= flight.loaded.completeExceptionally(why);
        }
        if (told) {
            cache.loadFailures.inc();
        }
    }

    private TerraceException saturated(CacheState cache, RejectedExecutionException e) {
        if (pool.isShutdown()) {
            return new ClosedException("the cache coordinator");
        }
        return new LoaderException(
                "no loader thread free for cache '" + cache.name + "': " + pool.getMaximumPoolSize() + " run and "
                        + pool.getQueue().size() + " wait",
                "make the loader faster or raise loading.threads",
                e);
    }

    private LoaderException tooSlow(CacheState cache) {
        return new LoaderException(
                "the loader of cache '" + cache.name + "' took longer than " + timeoutMillis + " ms",
                "make it faster, raise loading.timeout, or allow stale answers with stale_ttl",
                null);
    }

    private static TerraceException failed(CacheState cache, Throwable e) {
        if (e instanceof TerraceException ours) {
            return ours;
        }
        return new LoaderException("the loader of cache '" + cache.name + "' failed: " + e, "", e);
    }

    /** Stops taking loads, interrupts those under way and tells everyone who waits for one. */
    @Override
    public void close() {
        pool.shutdownNow();
        awaited.forEach(flight -> flight.loaded.completeExceptionally(new ClosedException("the cache coordinator")));
    }
}
