package dev.terrace.core;

import dev.terrace.api.AsyncCache;
import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkLoader;
import dev.terrace.api.Explanation;
import dev.terrace.api.Freshness;
import dev.terrace.api.Loader;
import dev.terrace.api.LoaderException;
import dev.terrace.api.Loading;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The one engine behind both views of a cache. */
final class AsyncNamedCache<K, V> implements AsyncCache<K, V> {
    private final Engine engine;
    private final CacheState cache;
    private final Coding<K, V> coding;
    private final Answers<K, V> answers;
    private final BulkAnswers<K, V> bulk;
    private final LoaderCalls<K, V> calls;
    private final @Nullable NearReads<K, V> near;

    AsyncNamedCache(Engine engine, CacheState cache, Coding<K, V> coding, @Nullable NearReads<K, V> near) {
        this.near = near;
        this.engine = engine;
        this.cache = cache;
        this.coding = coding;
        this.answers = new Answers<>(engine, cache, coding);
        this.calls = new LoaderCalls<>(engine, cache, coding);
        this.bulk = new BulkAnswers<>(engine, cache, coding, answers, calls);
    }

    @Override
    public String name() {
        return cache.name;
    }

    @Override
    public CompletionStage<@Nullable V> get(K key) {
        return engine.gate().pass(() -> {
            V decoded = near(key);
            return decoded != null
                    ? CompletableFuture.completedStage(decoded)
                    : one(key, null, WriteOptions.DEFAULTS).thenApply(Answer::fresh);
        });
    }

    /** Null without a near cache, and while the node does not go by copies. */
    private @Nullable NearReads<K, V> nearInUse() {
        return cache.stance().usesCopies() ? near : null;
    }

    private @Nullable V near(@Nullable K key) {
        NearReads<K, V> used = nearInUse();
        return used == null ? null : used.value(key);
    }

    @Override
    public CompletionStage<@Nullable V> get(K key, Loader<? super K, ? extends V> loader) {
        return engine.gate().pass(() -> {
            LoaderCall call = calls.of(key, loader);
            V decoded = near(key, call, WriteOptions.DEFAULTS);
            return decoded != null
                    ? CompletableFuture.completedStage(decoded)
                    : one(key, call, WriteOptions.DEFAULTS).thenApply(Answer::value);
        });
    }

    @Override
    public CompletionStage<@Nullable V> get(K key, Loader<? super K, ? extends V> loader, WriteOptions options) {
        return engine.gate()
                .pass(() -> one(key, calls.of(key, loader), given(options)).thenApply(Answer::value));
    }

    @Override
    public CompletionStage<@Nullable V> get(K key, Loading<K, V> loading) {
        return engine.gate().pass(() -> {
            LoaderCall call = calls.of(key, loading);
            V decoded = near(key, call, loading.options());
            return decoded != null
                    ? CompletableFuture.completedStage(decoded)
                    : one(key, call, loading).thenApply(Answer::value);
        });
    }

    /** Past the near cache, which gets what L1 has then. */
    private CompletionStage<Answer<V>> one(K key, @Nullable LoaderCall call, WriteOptions options) {
        CompletionStage<Answer<V>> answer = answers.one(coding.key(key), call, options);
        return near == null
                ? answer
                : answer.thenApply(told -> {
                    keepNear(near, key, told);
                    return told;
                });
    }

    private void keepNear(NearReads<K, V> into, K key, Answer<V> told) {
        Entry entry = told.found().entry();
        V value = told.value();
        if (entry != null && value != null && !told.stale() && !told.found().doubtful()) {
            into.keep(key, entry.key(), value, entry.version());
        }
    }

    private CompletionStage<Answer<V>> one(K key, LoaderCall call, Loading<K, V> loading) {
        CompletionStage<Answer<V>> answer = one(key, call, loading.options());
        V fallback = loading.fallback();
        return fallback == null
                ? answer
                : answer.exceptionally(failure -> {
                    if (!(Gate.unwrapped(failure) instanceof LoaderException)) {
                        throw failure instanceof CompletionException same ? same : new CompletionException(failure);
                    }
                    cache.staleAnswers.inc();
                    return new Answer<>(fallback, Found.NOTHING, true);
                });
    }

    private @Nullable V near(K key, LoaderCall call, WriteOptions options) {
        NearCopy copy = nearCopy(key, call, options);
        return copy == null ? null : coding.valueOf(copy);
    }

    private @Nullable ReadResult<V> nearResult(K key, LoaderCall call, WriteOptions options) {
        NearCopy copy = nearCopy(key, call, options);
        return near == null || copy == null ? null : near.result(copy);
    }

    private @Nullable NearCopy nearCopy(K key, LoaderCall call, WriteOptions options) {
        NearReads<K, V> used = nearInUse();
        NearCopy copy = used == null ? null : used.hit(key);
        if (copy == null) {
            return null;
        }
        if (answers.isDue(copy.createdMillis, copy.freshUntilMillis)) {
            answers.refresh(copy.cacheKey, copy.createdMillis, copy.freshUntilMillis, null, call, options);
        }
        return copy;
    }

    /** To be called for a value that is fresh and may be due; see {@link Answers#refresh}. */
    void refresh(
            K key,
            long createdMillis,
            long freshUntilMillis,
            Loader<? super K, ? extends V> loader,
            WriteOptions options) {
        answers.refresh(coding.key(key), createdMillis, freshUntilMillis, null, calls.of(key, loader), options);
    }

    /** As {@link #refresh(Object, long, long, Loader, WriteOptions)}. */
    void refresh(K key, long createdMillis, long freshUntilMillis, Loading<K, V> loading) {
        answers.refresh(
                coding.key(key), createdMillis, freshUntilMillis, null, calls.of(key, loading), loading.options());
    }

    @Override
    public CompletionStage<Map<K, V>> getAll(Collection<? extends K> keys) {
        return engine.gate().pass(() -> all(asked(keys), null));
    }

    @Override
    public CompletionStage<Map<K, V>> getAll(Collection<? extends K> keys, BulkLoader<K, V> loader) {
        return engine.gate().pass(() -> {
            if (loader == null) {
                throw new BadInputException("null loader for cache '" + cache.name + "'", "call getAll(keys) instead");
            }
            return all(asked(keys), loader);
        });
    }

    /** What the near cache has needs no search. */
    private CompletionStage<Map<K, V>> all(Map<CacheKey, K> asked, @Nullable BulkLoader<K, V> loader) {
        NearReads<K, V> used = nearInUse();
        if (used == null) {
            return bulk.all(asked, loader);
        }
        Map<K, V> decoded = new LinkedHashMap<>();
        asked.values().removeIf(key -> {
            V value = used.value(key);
            if (value != null) {
                decoded.put(key, value);
            }
            return value != null;
        });
        if (asked.isEmpty()) {
            return CompletableFuture.completedStage(decoded);
        }
        return bulk.all(asked, loader).thenApply(found -> {
            decoded.putAll(found);
            return decoded;
        });
    }

    private Map<CacheKey, K> asked(@Nullable Collection<? extends K> keys) {
        if (keys == null) {
            throw new BadInputException("null keys for cache '" + cache.name + "'", "pass an empty collection");
        }
        Map<CacheKey, K> asked = new LinkedHashMap<>(2 * keys.size());
        for (K key : keys) {
            asked.put(coding.key(key), key);
        }
        return asked;
    }

    @Override
    public CompletionStage<WriteReceipt> put(K key, V value) {
        return put(key, value, WriteOptions.DEFAULTS);
    }

    @Override
    public CompletionStage<WriteReceipt> put(K key, V value, WriteOptions options) {
        return engine.gate().pass(() -> {
            Intent intent = intent(key, value, given(options));
            cache.puts.inc();
            return engine.origin().write(intent);
        });
    }

    private Intent intent(K key, V value, WriteOptions options) {
        CacheKey cacheKey = coding.key(key);
        admitToOrigin(cacheKey);
        byte[] payload = coding.encode(value);
        return new Intent(
                cacheKey,
                version -> coding.value(cacheKey, version, engine.clock().millis(), payload, options),
                coding.terms(cacheKey, options));
    }

    /** Where only the origin is left, what reaches it goes on. */
    private void admitToOrigin(CacheKey key) {
        Stance stance = cache.stance();
        if (!stance.writesToOriginOnly() || !engine.origin().reaches(key)) {
            stance.admitWrite(cache.name);
        }
    }

    private WriteOptions given(@Nullable WriteOptions options) {
        if (options == null) {
            throw new BadInputException("null options for cache '" + cache.name + "'", "pass WriteOptions.DEFAULTS");
        }
        if (Boolean.TRUE.equals(options.durable()) && engine.tiers().backup() == null) {
            throw new BadInputException(
                    "a durable write to cache '" + cache.name + "' needs L3, and there is none",
                    "enable backup_storage, or write without durable");
        }
        return options;
    }

    @Override
    public CompletionStage<Map<K, WriteReceipt>> putAll(Map<? extends K, ? extends V> entries) {
        return putAll(entries, WriteOptions.DEFAULTS);
    }

    @Override
    public CompletionStage<Map<K, WriteReceipt>> putAll(Map<? extends K, ? extends V> entries, WriteOptions options) {
        return engine.gate().pass(() -> {
            if (entries == null) {
                throw new BadInputException("null entries for cache '" + cache.name + "'", "pass an empty map");
            }
            WriteOptions sure = given(options);
            Map<CacheKey, K> keys = new LinkedHashMap<>();
            List<Intent> intents = new ArrayList<>();
            entries.forEach((key, value) -> {
                Intent intent = intent(key, value, sure);
                keys.put(intent.key(), key);
                intents.add(intent);
            });
            cache.puts.inc(intents.size());
            return receipts(keys, intents, engine.origin().writeAll(intents));
        });
    }

    private CompletionStage<Map<K, WriteReceipt>> receipts(
            Map<CacheKey, K> keys, List<Intent> intents, CompletionStage<List<WriteReceipt>> written) {
        return written.thenApply(receipts -> {
            Map<K, WriteReceipt> byKey = new LinkedHashMap<>();
            for (int i = 0; i < receipts.size(); i++) {
                K key = keys.get(intents.get(i).key());
                if (key != null) {
                    byKey.put(key, receipts.get(i));
                }
            }
            return byKey;
        });
    }

    @Override
    public CompletionStage<WriteReceipt> putIfAbsent(K key, V value) {
        return putIfAbsent(key, value, WriteOptions.DEFAULTS);
    }

    @Override
    public CompletionStage<WriteReceipt> putIfAbsent(K key, V value, WriteOptions options) {
        return engine.gate().pass(() -> {
            Intent intent = intent(key, value, given(options));
            engine.origin().refuseConditional("putIfAbsent", intent.key());
            cache.puts.inc();
            return engine.conditional().putIfAbsent(cache, intent.key(), intent.make(), intent.terms());
        });
    }

    @Override
    public CompletionStage<WriteReceipt> replace(K key, Version expected, V value) {
        return replace(key, expected, value, WriteOptions.DEFAULTS);
    }

    @Override
    public CompletionStage<WriteReceipt> replace(K key, Version expected, V value, WriteOptions options) {
        return engine.gate().pass(() -> {
            Intent intent = intent(key, value, given(options));
            engine.origin().refuseConditional("replace", intent.key());
            if (expected == null || !engine.clock().observe(expected)) {
                throw new BadInputException(
                        "version " + expected + " cannot be expected in cache '" + cache.name
                                + "': it is null or from too far ahead of this node's clock",
                        "pass the version that read() told");
            }
            cache.puts.inc();
            return engine.conditional().replace(cache, intent.key(), expected, intent.make(), intent.terms());
        });
    }

    @Override
    public CompletionStage<WriteReceipt> invalidate(K key) {
        return invalidate(key, WriteOptions.DEFAULTS);
    }

    @Override
    public CompletionStage<WriteReceipt> invalidate(K key, WriteOptions options) {
        return engine.gate().pass(() -> {
            Intent intent = removal(coding.key(key), given(options));
            cache.invalidations.inc();
            return engine.conditional().plain(intent);
        });
    }

    @Override
    public CompletionStage<WriteReceipt> remove(K key) {
        return engine.gate().pass(() -> {
            CacheKey cacheKey = coding.key(key);
            admitToOrigin(cacheKey);
            Intent intent = tombstone(cacheKey, WriteOptions.DEFAULTS);
            cache.invalidations.inc();
            return engine.origin().write(intent);
        });
    }

    private Intent removal(CacheKey key, WriteOptions options) {
        cache.stance().admitWrite(cache.name);
        return tombstone(key, options);
    }

    private Intent tombstone(CacheKey key, WriteOptions options) {
        return new Intent(
                key, version -> coding.tombstone(key, version, engine.clock().millis()), coding.terms(key, options));
    }

    @Override
    public CompletionStage<Map<K, WriteReceipt>> invalidate(Collection<? extends K> keys) {
        return engine.gate().pass(() -> {
            Map<CacheKey, K> asked = asked(keys);
            List<Intent> intents = asked.keySet().stream()
                    .map(key -> removal(key, WriteOptions.DEFAULTS))
                    .toList();
            cache.invalidations.inc(intents.size());
            return receipts(asked, intents, engine.conditional().plainAll(intents));
        });
    }

    @Override
    public CompletionStage<WriteReceipt> invalidateTags(Collection<String> tags) {
        return engine.gate().pass(() -> {
            if (tags == null || tags.isEmpty()) {
                throw new BadInputException("no tags to invalidate in cache '" + cache.name + "'", "name at least one");
            }
            tags.forEach(WriteOptions::check);
            if (tags.size() > Markers.MOST_TAGS) {
                throw new BadInputException(
                        tags.size() + " tags in cache '" + cache.name + "' are more than the " + Markers.MOST_TAGS
                                + " of one call",
                        "invalidate them in several calls, or give what belongs together a tag of its own");
            }
            cache.stance().admitWrite(cache.name);
            cache.invalidations.inc();
            return engine.markers()
                    .invalidateTags(
                            cache,
                            Set.copyOf(tags),
                            engine.policies().ofCache(cache.name).durable());
        });
    }

    @Override
    public CompletionStage<WriteReceipt> clear() {
        return engine.gate().pass(() -> {
            cache.stance().admitWrite(cache.name);
            cache.invalidations.inc();
            return engine.markers()
                    .clear(cache, engine.policies().ofCache(cache.name).durable());
        });
    }

    @Override
    public CompletionStage<Long> increment(K key, long delta) {
        return engine.gate().pass(() -> {
            cache.stance().admitWrite(cache.name);
            CacheKey cacheKey = coding.key(key);
            engine.origin().refuseConditional("increment", cacheKey);
            cache.puts.inc();
            return engine.conditional()
                    .increment(
                            cache,
                            cacheKey,
                            delta,
                            version -> payload -> coding.value(
                                    cacheKey, version, engine.clock().millis(), payload),
                            coding.terms(cacheKey, WriteOptions.DEFAULTS));
        });
    }

    @Override
    public CompletionStage<ReadResult<V>> read(K key) {
        return engine.gate().pass(() -> {
            NearReads<K, V> used = nearInUse();
            ReadResult<V> decoded = used == null ? null : used.result(key);
            return decoded != null
                    ? CompletableFuture.completedStage(decoded)
                    : one(key, null, WriteOptions.DEFAULTS).thenApply(this::result);
        });
    }

    @Override
    public CompletionStage<ReadResult<V>> read(K key, Loader<? super K, ? extends V> loader) {
        return engine.gate().pass(() -> {
            LoaderCall call = calls.of(key, loader);
            ReadResult<V> decoded = nearResult(key, call, WriteOptions.DEFAULTS);
            return decoded != null
                    ? CompletableFuture.completedStage(decoded)
                    : one(key, call, WriteOptions.DEFAULTS).thenApply(this::result);
        });
    }

    @Override
    public CompletionStage<ReadResult<V>> read(K key, Loading<K, V> loading) {
        return engine.gate().pass(() -> {
            LoaderCall call = calls.of(key, loading);
            ReadResult<V> decoded = nearResult(key, call, loading.options());
            return decoded != null
                    ? CompletableFuture.completedStage(decoded)
                    : one(key, call, loading).thenApply(this::result);
        });
    }

    @Override
    public CompletionStage<ReadResult<V>> read(K key, ReplicationMode by) {
        return engine.gate().pass(() -> {
            if (by == null) {
                throw new BadInputException("null mode for cache '" + cache.name + "'", "name one, or leave it out");
            }
            CacheKey cacheKey = coding.key(key);
            return engine.conditional().find(cache, cacheKey, by).thenApply(found -> result(answers.of(found)));
        });
    }

    private ReadResult<V> result(Answer<V> answer) {
        Source source = answer.found().source();
        Entry entry = answer.found().entry();
        if (entry == null && answer.value() != null) {
            // The caller's own, for when nothing could be loaded.
            return new ReadResult<>(answer.value(), Source.NONE, Freshness.STALE, Duration.ZERO, null);
        }
        if (entry == null || answer.value() == null) {
            // What may have been replaced, or was never confirmed, says nothing of what is there now.
            Version version = entry == null || answer.found().doubtful() ? null : entry.version();
            Freshness freshness = answer.found().isUnknown() ? Freshness.UNKNOWN : Freshness.ABSENT;
            return new ReadResult<>(null, source, freshness, Duration.ZERO, version);
        }
        return new ReadResult<>(
                answer.value(),
                source,
                answer.stale() ? Freshness.STALE : Freshness.FRESH,
                Duration.ofMillis(Math.max(0, engine.clock().millis() - entry.createdMillis())),
                entry.version());
    }

    @Override
    public CompletionStage<Explanation> explain(K key) {
        return engine.gate().pass(() -> Explainer.explain(engine, cache, coding, coding.key(key)));
    }
}
