package dev.terrace.core;

import dev.terrace.api.CodecException;
import dev.terrace.api.LoaderException;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.LoadingRules;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers reads of one key that L1 could not: through flights, the cascade and loads. One per cache; thread-safe. */
final class Answers<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    /** The tiers time every call; of the whole search a sample is enough. */
    static final int TIMED_ONE_IN = 16;

    private final Engine engine;
    private final CacheState cache;
    private final Coding<K, V> coding;
    private final long slidesMillis;

    Answers(Engine engine, CacheState cache, Coding<K, V> coding) {
        this.engine = engine;
        this.cache = cache;
        this.coding = coding;
        this.slidesMillis = engine.sliding().longestMillis(cache.name);
    }

    private long now() {
        return engine.clock().millis();
    }

    /** The best there is for one key; with a loader, also what the origin says. */
    CompletionStage<Answer<V>> one(CacheKey key, @Nullable LoaderCall loader) {
        return one(key, loader, WriteOptions.DEFAULTS);
    }

    /** As above; what is loaded is kept with {@code options}. */
    CompletionStage<Answer<V>> one(CacheKey key, @Nullable LoaderCall loader, WriteOptions options) {
        cache.stance().admitRead(cache.name);
        boolean timed = ThreadLocalRandom.current().nextInt(TIMED_ONE_IN) == 0;
        long started = timed ? System.nanoTime() : 0;
        if (timed) {
            engine.warming().heat().used(key, TIMED_ONE_IN);
        }
        boolean withLoader = loader != null;
        Load within = withLoader ? Load.calling() : null;
        Flight flight = engine.flights().join(cache, key, withLoader, cache.trust.shareNanos(key), this::launch);
        return flight.lookup
                .thenCompose(found -> answer(flight, found, loader, options, within))
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
            Flight flight, Found found, @Nullable LoaderCall loader, WriteOptions options, @Nullable Load within) {
        // What is refreshed ahead of its end is fresh for those who join the refresh.
        Answer<V> settled = flight.isSettled() || found.settles(now()) ? settled(found) : null;
        if (settled != null) {
            cache.countHit(found);
            slide(found);
            if (loader != null) {
                refreshIfDue(found, loader, options);
            }
            return CompletableFuture.completedStage(settled);
        }
        cache.misses.inc();
        if (loader != null) {
            return load(new Claim(flight, coding.policy(flight.key).loading(), within), found, loader, options);
        }
        return hasLastResort(found)
                ? engine.cascade().lastResort(cache, flight.key, found).thenApply(this::leftover)
                : CompletableFuture.completedStage(leftover(found));
    }

    /** What is read may live on. */
    void slide(Found found) {
        Entry entry = found.entry();
        boolean held = found.source() == Source.L1 || found.source() == Source.L2 || found.source() == Source.L3;
        if (slidesMillis > 0
                && held
                && entry != null
                && entry.isValue()
                && entry.freshUntilMillis() - now() < slidesMillis) {
            engine.sliding().read(entry.key(), entry.freshUntilMillis(), entry);
        }
    }

    private CompletionStage<Answer<V>> load(Claim claim, Found found, LoaderCall loader, WriteOptions options) {
        Flight flight = claim.flight();
        boolean throttled = isThrottled(claim, found);
        if (throttled || mayRevalidate(claim.rules(), found) || cache.stance().prefersStale()) {
            Answer<V> stale = leftover(found);
            if (stale.value() != null) {
                if (!throttled) {
                    inBackground(claim.inBackground(), loader, options);
                }
                cache.staleAnswers.inc();
                return CompletableFuture.completedStage(stale);
            }
        }
        Answer<V> refused = refused(found);
        if (refused != null) {
            return CompletableFuture.completedStage(refused);
        }
        if (flight.claimLoad()) {
            engine.loads().load(cache, List.of(claim), loader, maker(options));
        } else {
            cache.sharedLoads.inc();
            engine.loads().wanted(flight);
        }
        return waitFor(claim, found);
    }

    Load.EntryMaker maker(WriteOptions options) {
        return (flight, brought) -> coding.loaded(flight, brought, now(), options);
    }

    /** A stale answer when there are too many who wait; null when one more may. */
    @Nullable
    Answer<V> refused(Found found) {
        return engine.loads().mayWait() ? null : staleOr(found, engine.loads().tooManyWait(cache));
    }

    /** True when the key's load failed a short while ago and there is something stale. */
    boolean isThrottled(Claim claim, Found found) {
        CacheKey key = claim.flight().key;
        if (found.isUsableValue(now()) && engine.loads().throttle().holds(key)) {
            cache.throttled.inc();
            return true;
        }
        return false;
    }

    /** True when the stale value may be answered while a load runs. What may have been replaced is never answered so. */
    boolean mayRevalidate(LoadingRules rules, Found found) {
        Entry entry = found.entry();
        long now = now();
        return entry != null
                && !rules.staleWhileRevalidate().isZero()
                && !found.doubtful()
                && found.isUsableValue(now)
                && now - entry.freshUntilMillis() < rules.staleWhileRevalidate().toMillis();
    }

    /** Loads for nobody who waits, unless somebody does already or there is no room. */
    private void inBackground(Claim claim, LoaderCall loader, WriteOptions options) {
        if (claim.flight().isLoadClaimed()) {
            return;
        }
        if (!engine.loads().reserve()) {
            cache.refreshesDropped.inc();
        } else if (claim.flight().claimLoad()) {
            engine.loads().refresh(cache, List.of(claim), loader, maker(options));
        } else {
            engine.loads().giveBack();
        }
    }

    /** Loads a fresh value anew when it is time for that. */
    private void refreshIfDue(Found found, LoaderCall loader, WriteOptions options) {
        Entry entry = found.entry();
        if (entry != null && entry.isValue() && isDue(entry.createdMillis(), entry.freshUntilMillis())) {
            refresh(entry.key(), entry.createdMillis(), entry.freshUntilMillis(), found, loader, options);
        }
    }

    /** False when no refresh of a value of this age can be due; allocates nothing. */
    boolean isDue(long createdMillis, long freshUntilMillis) {
        return cache.freshening.isOn()
                && cache.freshening.mayBeDue(createdMillis, freshUntilMillis, now(), cache.loadTime);
    }

    /**
     * Sets off a load of a value that is fresh still, if its class and chance say so, and no load of it is under way or failed a short
     * while ago.
     *
     * @param known what was found; null to look into L1
     */
    void refresh(
            CacheKey key,
            long createdMillis,
            long freshUntilMillis,
            @Nullable Found known,
            LoaderCall loader,
            WriteOptions options) {
        LoadingRules rules = coding.policy(key).loading();
        if (!cache.freshening.isDue(rules, createdMillis, freshUntilMillis, now(), cache.loadTime.millisOf(key))
                || engine.loads().throttle().holds(key)) {
            return;
        }
        boolean[] mine = new boolean[1];
        Flight flight = engine.flights().join(cache, key, true, Flights.ANY_AGE, fresh -> {
            mine[0] = true;
            // After the version was drawn.
            fresh.refreshing(known != null ? known : engine.cascade().local(cache, key));
        });
        try {
            if (mine[0]) {
                inBackground(new Claim(flight, rules, null), loader, options);
            }
        } finally {
            // The load itself stays in it.
            engine.flights().leave(flight, true);
        }
    }

    /**
     * What the origin says, or in time something else. The caller was let in by {@link #refused}.
     *
     * @param found what there was before
     */
    CompletionStage<Answer<V>> waitFor(Claim claim, Found found) {
        Flight flight = claim.flight();
        CompletableFuture<Answer<V>> answer = new CompletableFuture<>();
        Load load = flight.load;
        if (load != null && claim.within() != null && claim.within().isWithin(load)) {
            complete(answer, () -> staleOr(found, waitsForItself()));
        }
        flight.loaded.whenComplete((loaded, failure) -> {
            if (answer.isDone()) {
                return;
            }
            if (failure == null || !hasLastResort(found)) {
                complete(answer, () -> failure == null ? loaded(loaded) : staleOr(found, failure));
                return;
            }
            engine.cascade()
                    .lastResort(cache, flight.key, found)
                    .whenComplete((last, bug) -> complete(answer, () -> staleOr(bug == null ? last : found, failure)));
        });
        if (found.isUsableValue(now())) {
            flight.patience.whenComplete((over, never) -> {
                Answer<V> stale = answer.isDone() ? null : leftover(found);
                if (stale != null && stale.value() != null && answer.complete(stale)) {
                    cache.staleAnswers.inc();
                }
            });
        }
        return answer.whenComplete((told, failure) -> engine.loads().waited());
    }

    private LoaderException waitsForItself() {
        return new LoaderException(
                "a loader of cache '" + cache.name
                        + "' asks for the very key that it is called for, and would wait for itself",
                "read what it needs without a loader, or from another key; LoadContext has the old value",
                null);
    }

    private void complete(CompletableFuture<Answer<V>> answer, Supplier<Answer<V>> said) {
        try {
            answer.complete(said.get());
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /** True when L3 was not asked, because the node does not go by its tiers, and there is nothing else. */
    private boolean hasLastResort(Found found) {
        return !cache.stance().usesCopies() && !cache.neverStale && !found.isUsableValue(now());
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
        boolean usable = found.isUsableValue(now())
                || engine.loads().mutant() == LoadMutant.STALE_FOR_EVER && entry != null && entry.isValue();
        V value = entry == null || !usable || cache.neverStale ? null : coding.decode(entry);
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
