package dev.terrace.core;

import dev.terrace.api.CodecException;
import dev.terrace.api.WriteOptions;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers reads of one key that L1 could not: through flights, the cascade and loads. One per cache; thread-safe. */
final class Answers<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    /** The tiers time every call; of the whole search a sample is enough. */
    private static final int TIMED_ONE_IN = 16;

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
    CompletionStage<Answer<V>> one(CacheKey key, @Nullable Callable<byte @Nullable []> loader) {
        return one(key, loader, WriteOptions.DEFAULTS);
    }

    /** As above; what is loaded is kept with {@code options}. */
    CompletionStage<Answer<V>> one(CacheKey key, @Nullable Callable<byte @Nullable []> loader, WriteOptions options) {
        boolean timed = ThreadLocalRandom.current().nextInt(TIMED_ONE_IN) == 0;
        long started = timed ? System.nanoTime() : 0;
        boolean withLoader = loader != null;
        Flight flight = engine.flights().join(cache, key, withLoader, !cache.trust.of(key), this::launch);
        return flight.lookup
                .thenCompose(found -> answer(flight, found, loader, options))
                .whenComplete((answer, failure) -> {
                    engine.flights().leave(flight, withLoader);
                    if (timed) {
                        cache.getBelow.update(System.nanoTime() - started, TimeUnit.NANOSECONDS);
                    }
                });
    }

    private void launch(Flight flight) {
        CompletionStage<Found> search;
        try {
            search = engine.cascade().find(cache, flight.key);
        } catch (RuntimeException e) {
            search = CompletableFuture.failedStage(e);
        }
        search.thenApply(found -> {
                    engine.fills().promote(cache, flight, found);
                    return found;
                })
                .whenComplete((found, bug) -> {
                    if (bug != null) {
                        // A tier broke its contract; for the caller that is a miss.
                        LOG.error("search through the tiers failed cache={}", cache.name, bug);
                    }
                    flight.searched(bug == null ? found : Found.NOTHING, now());
                });
    }

    private CompletionStage<Answer<V>> answer(
            Flight flight, Found found, @Nullable Callable<byte @Nullable []> loader, WriteOptions options) {
        Answer<V> settled = flight.isSettled() ? settled(found) : null;
        if (settled != null) {
            cache.countHit(found);
            return CompletableFuture.completedStage(settled);
        }
        cache.misses.inc();
        return loader == null
                ? CompletableFuture.completedStage(leftover(found))
                : load(flight, found, loader, options);
    }

    private CompletionStage<Answer<V>> load(
            Flight flight, Found found, Callable<byte @Nullable []> loader, WriteOptions options) {
        if (flight.claimLoad()) {
            engine.loads().one(cache, flight, loader, (same, payload) -> coding.loaded(same, payload, now(), options));
        } else {
            cache.sharedLoads.inc();
        }
        return flight.loaded.handle((loaded, failure) -> failure == null ? loaded(loaded) : staleOr(found, failure));
    }

    /** The answer that the tiers gave; null when their value cannot be decoded, which makes it a miss. */
    @Nullable
    Answer<V> settled(Found found) {
        Entry entry = found.entry();
        if (entry == null || !entry.isValue()) {
            return new Answer<>(null, found, false);
        }
        V value = coding.decode(entry);
        return value == null ? null : new Answer<>(value, found, false);
    }

    /** What the tiers hold, fresh or not. */
    Answer<V> of(Found found) {
        Answer<V> settled = found.settles(now()) ? settled(found) : null;
        return settled != null ? settled : leftover(found);
    }

    /** What there is when nothing fresh could be had: a stale value, or nothing. */
    Answer<V> leftover(Found found) {
        Entry entry = found.entry();
        V value = entry == null || !found.isUsableValue(now()) ? null : coding.decode(entry);
        return new Answer<>(value, found, value != null);
    }

    /** What the origin said, which is an answer however short its time to live. */
    Answer<V> loaded(Found loaded) {
        Answer<V> answer = settled(loaded);
        if (answer == null) {
            throw new CodecException(
                    "the codec of cache '" + cache.name + "' cannot read back what it made of the loader's value",
                    "fix the codec",
                    null);
        }
        return answer;
    }

    /** A stale value instead of a failure, where there is one. */
    Answer<V> staleOr(Found found, Throwable failure) {
        Answer<V> leftover = leftover(found);
        if (leftover.value() == null) {
            throw new CompletionException(Gate.unwrapped(failure));
        }
        cache.staleAnswers.inc();
        return leftover;
    }
}
