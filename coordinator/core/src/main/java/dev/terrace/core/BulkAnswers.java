package dev.terrace.core;

import dev.terrace.api.BulkLoader;
import dev.terrace.api.WriteOptions;
import dev.terrace.core.Load.Payload;
import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
        List<Search<K>> searches = new ArrayList<>(asked.size());
        List<Flight> created = new ArrayList<>(asked.size());
        long now = now();
        asked.forEach((key, original) -> {
            Search<K> search = new Search<>(key, original);
            search.best = engine.cascade().local(cache, key);
            if (!search.best.settles(now)) {
                search.flight = engine.flights().join(cache, key, withLoader, !cache.trust.of(key), created::add);
            }
            searches.add(search);
        });
        return search(searches, created)
                .thenCompose(found -> answer(searches, loader))
                .whenComplete((values, failure) -> searches.forEach(search -> {
                    if (search.flight != null) {
                        engine.flights().leave(search.flight, withLoader);
                    }
                }));
    }

    private CompletionStage<Void> search(List<Search<K>> searches, List<Flight> created) {
        CompletionStage<Void> below;
        try {
            below = engine.cascade().findAllBelow(cache, searches);
        } catch (RuntimeException e) {
            below = CompletableFuture.failedStage(e);
        }
        return below.thenRun(() -> engine.fills().promoteAll(cache, searches)).handle((found, bug) -> {
            if (bug != null) {
                // A tier broke its contract; for the caller that is a miss.
                LOG.error("search through the tiers failed cache={}", cache.name, bug);
                searches.forEach(search -> search.best = Found.NOTHING);
            }
            finish(searches, created);
            return null;
        });
    }

    /** Tells those who share the flights that this read has started; they stand in the order of the searches. */
    private void finish(List<Search<K>> searches, List<Flight> created) {
        long now = now();
        int next = 0;
        for (Search<K> search : searches) {
            if (next < created.size() && search.flight == created.get(next)) {
                created.get(next++).searched(search.best, now);
            }
        }
    }

    private CompletionStage<Map<K, V>> answer(List<Search<K>> searches, @Nullable BulkLoader<K, V> loader) {
        long now = now();
        Map<K, V> values = new LinkedHashMap<>(2 * searches.size());
        List<Search<K>> missing = new ArrayList<>();
        for (Search<K> search : searches) {
            Answer<V> settled = search.best.settles(now) ? answers.settled(search.best) : null;
            if (settled == null) {
                cache.misses.inc();
                missing.add(search);
                continue;
            }
            cache.countHit(search.best);
            if (settled.value() != null) {
                values.put(search.original, settled.value());
            }
        }
        return loader == null || missing.isEmpty()
                ? CompletableFuture.completedStage(values)
                : load(missing, values, loader);
    }

    private CompletionStage<Map<K, V>> load(List<Search<K>> missing, Map<K, V> values, BulkLoader<K, V> loader) {
        Map<Flight, Search<K>> waiting = new LinkedHashMap<>();
        Map<Flight, K> claimed = new LinkedHashMap<>();
        for (Search<K> search : missing) {
            Flight flight = search.flight;
            if (flight == null) {
                // Only what L1 held and the codec could not read has no flight yet.
                flight = engine.flights()
                        .join(cache, search.key, true, false, fresh -> fresh.searched(Found.NOTHING, now()));
                search.flight = flight;
            }
            waiting.put(flight, search);
            if (flight.claimLoad()) {
                claimed.put(flight, search.original);
            } else {
                cache.sharedLoads.inc();
            }
        }
        if (!claimed.isEmpty()) {
            engine.loads()
                    .many(
                            cache,
                            List.copyOf(claimed.keySet()),
                            () -> call(claimed, loader),
                            (flight, payload) -> coding.loaded(flight, payload, now(), WriteOptions.DEFAULTS));
        }
        return CompletableFuture.allOf(
                        waiting.keySet().stream().map(flight -> flight.loaded).toArray(CompletableFuture[]::new))
                .handle((done, failure) -> {
                    waiting.forEach((flight, search) -> {
                        V value = loaded(flight, search.best).value();
                        if (value != null) {
                            values.put(search.original, value);
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

    private Map<Flight, Payload> call(Map<Flight, K> claimed, BulkLoader<K, V> loader) throws Exception {
        Map<K, V> loaded = loader.loadAll(new LinkedHashSet<>(claimed.values()));
        Map<Flight, Payload> payloads = new HashMap<>();
        claimed.forEach((flight, key) -> {
            V value = loaded == null ? null : loaded.get(key);
            payloads.put(flight, new Payload(value == null ? null : coding.encode(value)));
        });
        return payloads;
    }
}
