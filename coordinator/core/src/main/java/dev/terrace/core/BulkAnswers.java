package dev.terrace.core;

import dev.terrace.api.BulkLoadException;
import dev.terrace.api.BulkLoader;
import dev.terrace.api.LoaderException;
import dev.terrace.api.TerraceException;
import dev.terrace.api.WriteOptions;
import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
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
    private final LoaderCalls<K, V> calls;

    BulkAnswers(Engine engine, CacheState cache, Coding<K, V> coding, Answers<K, V> answers, LoaderCalls<K, V> calls) {
        this.calls = calls;
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
        cache.stance().admitRead(cache.name);
        boolean withLoader = loader != null;
        Load within = withLoader ? Load.calling() : null;
        List<Search<K>> searches = new ArrayList<>(asked.size());
        List<Flight> created = new ArrayList<>(asked.size());
        long now = now();
        if (ThreadLocalRandom.current().nextInt(Answers.TIMED_ONE_IN) == 0) {
            asked.keySet().forEach(key -> engine.warming().heat().used(key, Answers.TIMED_ONE_IN));
        }
        asked.forEach((key, original) -> {
            Search<K> search = new Search<>(key, original);
            search.best = engine.cascade().local(cache, key);
            if (!search.best.settles(now)) {
                search.flight =
                        engine.flights().join(cache, key, withLoader, cache.trust.shareNanos(key), created::add);
            }
            searches.add(search);
        });
        return search(searches, created)
                .thenCompose(found -> answer(searches, loader, within))
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

    private CompletionStage<Map<K, V>> answer(
            List<Search<K>> searches, @Nullable BulkLoader<K, V> loader, @Nullable Load within) {
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
            answers.slide(search.best);
            if (settled.value() != null) {
                values.put(search.original, settled.value());
            }
        }
        return loader == null || missing.isEmpty()
                ? CompletableFuture.completedStage(values)
                : load(missing, values, loader, within);
    }

    private CompletionStage<Map<K, V>> load(
            List<Search<K>> missing, Map<K, V> values, BulkLoader<K, V> loader, @Nullable Load within) {
        Map<Search<K>, CompletableFuture<Answer<V>>> waiting = new LinkedHashMap<>();
        Map<Flight, K> keys = new LinkedHashMap<>();
        List<Claim> wanted = new ArrayList<>();
        List<Claim> refreshed = new ArrayList<>();
        for (Search<K> search : missing) {
            Flight flight = flightOf(search);
            Claim claim = new Claim(flight, coding.policy(search.key).loading(), within);
            boolean throttled = answers.isThrottled(claim, search.best);
            boolean stalePreferred = throttled
                    || answers.mayRevalidate(claim.rules(), search.best)
                    || cache.stance().prefersStale();
            Answer<V> stale = stalePreferred ? answers.leftover(search.best) : null;
            if (stale != null && stale.value() != null) {
                cache.staleAnswers.inc();
                values.put(search.original, stale.value());
                if (!throttled && !flight.isLoadClaimed()) {
                    keys.put(flight, search.original);
                    refreshed.add(claim.inBackground());
                }
                continue;
            }
            CompletableFuture<Answer<V>> answer = waitFor(search, claim);
            waiting.put(search, answer);
            if (answer.isDone()) {
                continue;
            }
            if (flight.claimLoad()) {
                keys.put(flight, search.original);
                wanted.add(claim);
            } else {
                cache.sharedLoads.inc();
                engine.loads().wanted(flight);
            }
        }
        LoaderCall call = calls.of(keys, loader);
        if (!wanted.isEmpty()) {
            engine.loads().load(cache, wanted, call, answers.maker(WriteOptions.DEFAULTS));
        }
        refresh(refreshed, call);
        return CompletableFuture.allOf(waiting.values().toArray(CompletableFuture[]::new))
                .handle((done, failure) -> gathered(values, waiting));
    }

    private Flight flightOf(Search<K> search) {
        Flight flight = search.flight;
        if (flight == null) {
            // Only what L1 held and the codec could not read has no flight yet.
            flight = engine.flights()
                    .join(cache, search.key, true, Flights.ANY_AGE, fresh -> fresh.searched(Found.NOTHING, now()));
            search.flight = flight;
        }
        return flight;
    }

    private CompletableFuture<Answer<V>> waitFor(Search<K> search, Claim claim) {
        try {
            Answer<V> refused = answers.refused(search.best);
            return refused == null
                    ? answers.waitFor(claim, search.best).toCompletableFuture()
                    : CompletableFuture.completedFuture(refused);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** What stale values were answered for, in one call that nobody waits for. */
    private void refresh(List<Claim> stale, LoaderCall call) {
        if (stale.isEmpty()) {
            return;
        }
        if (!engine.loads().reserve()) {
            cache.refreshesDropped.inc(stale.size());
            return;
        }
        List<Claim> claimed =
                stale.stream().filter(claim -> claim.flight().claimLoad()).toList();
        if (claimed.isEmpty()) {
            engine.loads().giveBack();
        } else {
            engine.loads().refresh(cache, claimed, call, answers.maker(WriteOptions.DEFAULTS));
        }
    }

    /** Everything that could be answered, or an exception that carries it. */
    private Map<K, V> gathered(Map<K, V> values, Map<Search<K>, CompletableFuture<Answer<V>>> waiting) {
        Map<K, Throwable> failed = new LinkedHashMap<>();
        waiting.forEach((search, answer) -> {
            try {
                V value = answer.join().value();
                if (value != null) {
                    values.put(search.original, value);
                }
            } catch (CompletionException e) {
                failed.put(search.original, Gate.unwrapped(e));
            }
        });
        if (failed.isEmpty()) {
            return values;
        }
        Throwable first = failed.values().iterator().next();
        if (first instanceof TerraceException ours && !(first instanceof LoaderException)) {
            throw ours;
        }
        throw new BulkLoadException(
                failed.size() + " of " + (failed.size() + values.size()) + " keys of cache '" + cache.name
                        + "' could not be loaded: " + first.getMessage(),
                "",
                values,
                failed);
    }
}
