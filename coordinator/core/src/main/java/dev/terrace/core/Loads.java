package dev.terrace.core;

import dev.terrace.api.ClosedException;
import dev.terrace.api.LoaderException;
import dev.terrace.api.TerraceException;
import dev.terrace.config.LoadingSettings;
import dev.terrace.core.Load.EntryMaker;
import dev.terrace.core.Load.Payload;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
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
    private final Fills fills;
    private final ScheduledExecutorService timer;
    private final ThreadPoolExecutor pool;
    private final long timeoutMillis;
    private final AtomicInteger threadNumber = new AtomicInteger();

    /** Loads that somebody waits for, so that closing can tell them. */
    private final Set<Load> awaited = ConcurrentHashMap.newKeySet();

    Loads(Flights flights, Fills fills, ScheduledExecutorService timer, LoadingSettings settings) {
        this.flights = flights;
        this.fills = fills;
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

    /** Loads one key for a flight whose load the caller has claimed. */
    void one(CacheState cache, Flight flight, Callable<byte @Nullable []> loader, EntryMaker maker) {
        many(
                cache,
                List.of(flight),
                () -> {
                    byte[] payload = loader.call();
                    return Map.of(flight, new Payload(payload));
                },
                maker);
    }

    /** Loads many keys with one call, for flights whose loads the caller has claimed. */
    void many(CacheState cache, List<Flight> claimed, Callable<Map<Flight, Payload>> loader, EntryMaker maker) {
        cache.loads.inc();
        Load load = new Load(cache, claimed, loader, maker, flights, fills);
        awaited.add(load);
        load.told().whenComplete((done, failure) -> awaited.remove(load));
        FutureTask<Void> task = new FutureTask<>(load, null);
        try {
            pool.execute(task);
        } catch (RejectedExecutionException e) {
            load.fail(saturated(cache, e));
            load.leave();
            return;
        } catch (OutOfMemoryError e) {
            // No thread could be started; without an answer the callers would wait for nobody.
            load.fail(failed(cache, e));
            load.leave();
            return;
        }
        try {
            load.setAlarm(timer.schedule(() -> giveUp(cache, load, task), timeoutMillis, TimeUnit.MILLISECONDS));
        } catch (RejectedExecutionException e) {
            // Closing: nobody would end the wait.
            load.fail(new ClosedException("the cache coordinator"));
        }
    }

    private void giveUp(CacheState cache, Load load, FutureTask<Void> task) {
        load.abandon();
        boolean neverRan = pool.remove(task);
        load.fail(neverRan ? neverFree(cache) : tooSlow(cache));
        if (neverRan) {
            load.leave();
        } else {
            task.cancel(true);
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

    private LoaderException neverFree(CacheState cache) {
        return new LoaderException(
                "no loader thread became free for cache '" + cache.name + "' within " + timeoutMillis + " ms",
                "make the loaders faster or raise loading.threads",
                null);
    }

    static LoaderException failed(CacheState cache, Throwable e) {
        String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new LoaderException("the loader of cache '" + cache.name + "' failed: " + why, "", e);
    }

    /** Stops taking loads, interrupts those under way and tells everyone who waits for one. */
    @Override
    public void close() {
        pool.shutdownNow();
        awaited.forEach(load -> load.fail(new ClosedException("the cache coordinator")));
    }
}
