package dev.terrace.core;

import dev.terrace.api.BulkLoader;
import dev.terrace.core.Load.Payload;
import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers reads of many keys: one round trip per tier, then one call of the loader for all that is missing. Keys that
 * somebody else is loading already are waited for. One per cache; thread-safe.
 *
 * <p>Every missing key gets a flight before the tiers are asked, so a write meanwhile fences what this read is about to
 * promote or load, just as for a single key. The tiers are asked for all of them all the same, because waiting for the
 * searches of others would cost round trips.
 */
final class BulkAnswers<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(BulkAnswers.class);

    private final Engine engine;
    private final CacheState cache;
    private final Coding<K, V> coding;
    private final Answers<K, V> answers;

    BulkAnswers(Engine engine, CacheState cache, Coding<K, V> coding, Answers<K, V> answers) {
        this.engine = engine;
        this.cache = cache;
        this.coding = coding;
        this.answers = answers;
    }

    private long now() {
        return engine.clock().millis();
    }

    /** The values of {@code asked}: fresh ones without a loader, the best there is with one. */
    CompletionStage<Map<K, V>> all(Map<CacheKey, K> asked, @Nullable BulkLoader<K, V> loader) {
        boolean withLoader = loader != null;
        Map<CacheKey, Found> best = new HashMap<>(2 * asked.size());
        Map<CacheKey, Flight> joined = new HashMap<>(2 * asked.size());
        List<Flight> created = new ArrayList<>();
        long now = now();
        for (CacheKey key : asked.keySet()) {
            Found local = engine.cascade().local(cache, key);
            best.put(key, local);
            if (!local.settles(now)) {
                joined.put(key, engine.flights().join(cache, key, withLoader, created::add));
            }
        }
        return search(best, joined, created)
                .thenCompose(found -> answer(asked, found, joined, loader))
                .whenComplete((values, failure) ->
                        joined.values().forEach(flight -> engine.flights().leave(flight, withLoader)));
    }

    private CompletionStage<Map<CacheKey, Found>> search(
            Map<CacheKey, Found> best, Map<CacheKey, Flight> joined, List<Flight> created) {
        if (joined.isEmpty()) {
            return CompletableFuture.completedStage(best);
        }
        CompletionStage<Map<CacheKey, Found>> below;
        try {
            below = engine.cascade().findAllBelow(cache, best);
        } catch (RuntimeException e) {
            below = CompletableFuture.failedStage(e);
        }
        return below.thenApply(found -> {
                    engine.fills().promoteAll(cache, joined, found);
                    return found;
                })
                .handle((found, bug) -> {
                    if (bug != null) {
                        // A tier broke its contract; for the caller that is a miss.
                        LOG.error("search through the tiers failed cache={}", cache.name, bug);
                    }
                    Map<CacheKey, Found> result = bug == null ? found : Map.of();
                    long now = now();
                    created.forEach(flight -> flight.searched(result.getOrDefault(flight.key, Found.NOTHING), now));
                    return result;
                });
    }

    private CompletionStage<Map<K, V>> answer(
            Map<CacheKey, K> asked,
            Map<CacheKey, Found> found,
            Map<CacheKey, Flight> joined,
            @Nullable BulkLoader<K, V> loader) {
        long now = now();
        Map<K, V> values = new LinkedHashMap<>(2 * asked.size());
        List<CacheKey> missing = new ArrayList<>();
        asked.forEach((key, original) -> {
            Found known = found.getOrDefault(key, Found.NOTHING);
            Answer<V> settled = known.settles(now) ? answers.settled(known) : null;
            if (settled == null) {
                cache.misses.inc();
                missing.add(key);
                return;
            }
            cache.countHit(known);
            if (settled.value() != null) {
                values.put(original, settled.value());
            }
        });
        return loader == null || missing.isEmpty()
                ? CompletableFuture.completedStage(values)
                : load(asked, found, joined, missing, values, loader);
    }

    private CompletionStage<Map<K, V>> load(
            Map<CacheKey, K> asked,
            Map<CacheKey, Found> found,
            Map<CacheKey, Flight> joined,
            List<CacheKey> missing,
            Map<K, V> values,
            BulkLoader<K, V> loader) {
        Map<CacheKey, Flight> waiting = new LinkedHashMap<>();
        List<Flight> claimed = new ArrayList<>();
        for (CacheKey key : missing) {
            // Only what L1 held and the codec could not read has no flight yet.
            Flight flight = joined.computeIfAbsent(
                    key,
                    same -> engine.flights().join(cache, same, true, fresh -> fresh.searched(Found.NOTHING, now())));
            waiting.put(key, flight);
            if (flight.claimLoad()) {
                claimed.add(flight);
            } else {
                cache.sharedLoads.inc();
            }
        }
        if (!claimed.isEmpty()) {
            engine.loads()
                    .many(
                            cache,
                            claimed,
                            () -> call(asked, claimed, loader),
                            (flight, payload) -> coding.loaded(flight, payload, now()));
        }
        return CompletableFuture.allOf(
                        waiting.values().stream().map(flight -> flight.loaded).toArray(CompletableFuture[]::new))
                .handle((done, failure) -> {
                    waiting.forEach((key, flight) -> {
                        V value = loaded(flight, found.getOrDefault(key, Found.NOTHING))
                                .value();
                        K original = asked.get(key);
                        if (value != null && original != null) {
                            values.put(original, value);
                        }
                    });
                    return values;
                });
    }

    private Answer<V> loaded(Flight flight, Found known) {
        Found loaded;
        try {
            loaded = flight.loaded.join();
        } catch (CompletionException failure) {
            return answers.staleOr(known, failure);
        }
        return answers.loaded(loaded);
    }

    private Map<Flight, Payload> call(Map<CacheKey, K> asked, List<Flight> claimed, BulkLoader<K, V> loader)
            throws Exception {
        Set<K> keys = new LinkedHashSet<>();
        for (Flight flight : claimed) {
            K key = asked.get(flight.key);
            if (key != null) {
                keys.add(key);
            }
        }
        Map<K, V> loaded = loader.loadAll(keys);
        Map<Flight, Payload> payloads = new HashMap<>();
        for (Flight flight : claimed) {
            K key = asked.get(flight.key);
            V value = key == null || loaded == null ? null : loaded.get(key);
            payloads.put(flight, new Payload(value == null ? null : coding.encode(value)));
        }
        return payloads;
    }
}
