package dev.terrace.core;

import dev.terrace.api.BulkLoader;
import dev.terrace.api.TerraceException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers reads that L1 could not: through flights, the cascade and loads. One per cache; thread-safe. */
final class Answers<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    private final Engine engine;
    private final CacheState cache;
    private final Coding<K, V> coding;

    Answers(Engine engine, CacheState cache, Coding<K, V> coding) {
        this.engine = engine;
        this.cache = cache;
        this.coding = coding;
    }

    private long now() {
        return engine.clock().millis();
    }

    /** The best there is for one key; with a loader, also what the origin says. */
    CompletionStage<Found> one(CacheKey key, @Nullable Callable<byte @Nullable []> loader) {
        long started = System.nanoTime();
        Flight flight = engine.flights().join(key, this::launch);
        return flight.lookup
                .thenCompose(found -> {
                    if (found.settles(now())) {
                        cache.countHit(found);
                        return CompletableFuture.completedStage(found);
                    }
                    cache.misses.inc();
                    return loader == null ? withoutLoader(flight, found) : withLoader(flight, found, loader);
                })
                .whenComplete((found, failure) -> {
                    engine.flights().leave(flight);
                    cache.getBelow.update(System.nanoTime() - started, TimeUnit.NANOSECONDS);
                });
    }

    private void launch(Flight flight) {
        CompletionStage<Found> search;
        try {
            search = engine.cascade().find(cache, flight.key);
        } catch (RuntimeException e) {
            search = CompletableFuture.failedStage(e);
        }
        search.whenComplete((found, bug) -> {
            if (bug != null) {
                // A tier broke its contract; for the caller that is a miss.
                LOG.error("search through the tiers failed cache={}", cache.name, bug);
                flight.lookup.complete(Found.NOTHING);
                return;
            }
            engine.writes().promote(cache, flight, found);
            flight.lookup.complete(found);
        });
    }

    private static CompletionStage<Found> withoutLoader(Flight flight, Found found) {
        // Somebody else's load may have ended while this caller was on its way.
        boolean loaded = flight.loaded.isDone() && !flight.loaded.isCompletedExceptionally();
        return CompletableFuture.completedStage(loaded ? flight.loaded.join() : found);
    }

    private CompletionStage<Found> withLoader(Flight flight, Found found, Callable<byte @Nullable []> loader) {
        if (flight.claimLoad()) {
            engine.loads().one(cache, flight, loader, (same, payload) -> coding.loaded(same, payload, now()));
        } else {
            cache.sharedLoads.inc();
        }
        return flight.loaded.handle((loaded, failure) -> failure == null ? loaded : staleOr(found, failure));
    }

    /** A stale value instead of a failure, where there is one. */
    private Found staleOr(Found found, Throwable failure) {
        if (found.isUsableValue(now())) {
            cache.staleAnswers.inc();
            return found;
        }
        throw failure instanceof CompletionException wrapped ? wrapped : new CompletionException(failure);
    }

    /** The best there is for many keys; every key is in the answer. */
    CompletionStage<Map<CacheKey, Found>> many(List<CacheKey> keys) {
        long now = now();
        Map<CacheKey, Found> best = new HashMap<>();
        Map<CacheKey, Flight> joined = new HashMap<>();
        List<Flight> created = new ArrayList<>();
        for (CacheKey key : keys) {
            Found local = engine.cascade().local(cache, key);
            best.put(key, local);
            if (!local.settles(now)) {
                // In a flight, a write meanwhile fences what this search is about to promote.
                joined.put(key, engine.flights().join(key, created::add));
            }
        }
        if (joined.isEmpty()) {
            best.values().forEach(cache::countHit);
            return CompletableFuture.completedStage(best);
        }
        return engine.cascade().findAllBelow(cache, best).whenComplete((found, bug) -> {
            if (found != null) {
                engine.writes().promoteAll(cache, joined, found);
                found.values().forEach(this::count);
            }
            created.forEach(flight -> flight.lookup.complete(
                    found == null ? Found.NOTHING : found.getOrDefault(flight.key, Found.NOTHING)));
            joined.values().forEach(engine.flights()::leave);
        });
    }

    private void count(Found found) {
        if (found.settles(now())) {
            cache.countHit(found);
        } else {
            cache.misses.inc();
        }
    }

    /** The values of all keys that were asked for, those that are missing in {@code found} loaded with one call. */
    CompletionStage<Map<K, V>> loadMissing(
            Map<CacheKey, K> asked, Map<CacheKey, Found> found, BulkLoader<K, V> loader) {
        long now = now();
        Map<CacheKey, Flight> waiting = new LinkedHashMap<>();
        List<Flight> claimed = new ArrayList<>();
        found.forEach((key, known) -> {
            if (!known.settles(now)) {
                Flight flight = engine.flights().join(key, fresh -> fresh.lookup.complete(known));
                waiting.put(key, flight);
                if (flight.claimLoad()) {
                    claimed.add(flight);
                }
            }
        });
        if (!claimed.isEmpty()) {
            engine.loads()
                    .run(
                            cache,
                            claimed,
                            () -> callBulk(asked, claimed, loader),
                            (same, payload) -> coding.loaded(same, payload, now()));
        }
        CompletableFuture<?>[] loads =
                waiting.values().stream().map(flight -> flight.loaded).toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(loads)
                .handle((done, failure) -> collect(asked, found, waiting))
                .whenComplete((values, failure) -> waiting.values().forEach(engine.flights()::leave));
    }

    private Map<Flight, Loads.Payload> callBulk(Map<CacheKey, K> asked, List<Flight> claimed, BulkLoader<K, V> loader)
            throws Exception {
        Set<K> keys = new LinkedHashSet<>();
        for (Flight flight : claimed) {
            K key = asked.get(flight.key);
            if (key != null) {
                keys.add(key);
            }
        }
        Map<K, V> loaded = loader.loadAll(keys);
        Map<Flight, Loads.Payload> payloads = new HashMap<>();
        for (Flight flight : claimed) {
            K key = asked.get(flight.key);
            V value = key == null || loaded == null ? null : loaded.get(key);
            payloads.put(flight, new Loads.Payload(value == null ? null : coding.encode(value)));
        }
        return payloads;
    }

    private Map<K, V> collect(Map<CacheKey, K> asked, Map<CacheKey, Found> found, Map<CacheKey, Flight> waiting) {
        Map<K, V> values = new LinkedHashMap<>();
        asked.forEach((key, original) -> {
            Flight flight = waiting.get(key);
            Found best = found.getOrDefault(key, Found.NOTHING);
            if (flight != null) {
                try {
                    best = flight.loaded.join();
                } catch (CompletionException failure) {
                    best = staleOr(best, failure);
                }
            }
            V value = value(best);
            if (value != null) {
                values.put(original, value);
            }
        });
        return values;
    }

    /** The value that may be answered, stale ones included; null when there is none. */
    @Nullable
    V value(Found found) {
        Entry entry = found.entry();
        return entry == null || !found.isUsableValue(now()) ? null : coding.decode(entry);
    }

    /** The value if it is fresh. */
    @Nullable
    V freshValue(Found found) {
        return found.isFreshValue(now()) ? value(found) : null;
    }

    /** Unwraps what a stage failed with. */
    static RuntimeException cause(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof TerraceException ours) {
            return ours;
        }
        return cause instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(cause);
    }
}
