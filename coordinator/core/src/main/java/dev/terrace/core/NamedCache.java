package dev.terrace.core;

import dev.terrace.api.AsyncCache;
import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkLoader;
import dev.terrace.api.Cache;
import dev.terrace.api.Explanation;
import dev.terrace.api.Freshness;
import dev.terrace.api.Loader;
import dev.terrace.api.Loading;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The blocking view: warm hits in the near cache and in L1 on the caller's thread, everything else through the asynchronous engine with a
 * bounded wait.
 */
final class NamedCache<K, V> implements Cache<K, V> {
    private static final int NOTHING = -1;

    private final Engine engine;
    private final CacheState cache;
    private final Coding<K, V> coding;
    private final AsyncNamedCache<K, V> async;
    private final @Nullable LocalTier local;
    private final @Nullable NearReads<K, V> near;
    private final long longestWaitNanos;
    private final String subject;
    private final boolean refreshes;
    private final long slidesMillis;

    NamedCache(Engine engine, CacheState cache, Coding<K, V> coding) {
        this.engine = engine;
        this.cache = cache;
        this.coding = coding;
        this.near = NearReads.of(engine, cache, coding);
        this.async = new AsyncNamedCache<>(engine, cache, coding, near);
        this.local = engine.tiers().local();
        this.refreshes = cache.freshening.isOn();
        this.slidesMillis = engine.sliding().longestMillis(cache.name);
        this.longestWaitNanos = engine.longestWait().toNanos();
        this.subject = "cache '" + cache.name + "'";
    }

    @Override
    public String name() {
        return cache.name;
    }

    @Override
    public AsyncCache<K, V> async() {
        return async;
    }

    @Override
    public @Nullable V get(K key) {
        V value = localHit(key, null, null, WriteOptions.DEFAULTS);
        return value != null ? value : await(async.get(key), "get");
    }

    @Override
    public @Nullable V get(K key, Loader<? super K, ? extends V> loader) {
        V value = localHit(key, loader, null, WriteOptions.DEFAULTS);
        return value != null ? value : await(async.get(key, loader), "get");
    }

    @Override
    public @Nullable V get(K key, Loader<? super K, ? extends V> loader, WriteOptions options) {
        V value = localHit(key, loader, null, options);
        return value != null ? value : await(async.get(key, loader, options), "get");
    }

    @Override
    public @Nullable V get(K key, Loading<K, V> loading) {
        V value = localHit(key, null, loading, WriteOptions.DEFAULTS);
        return value != null ? value : await(async.get(key, loading), "get");
    }

    @Override
    public WriteReceipt invalidateTags(Collection<String> tags) {
        return await(async.invalidateTags(tags), "invalidateTags");
    }

    /** A fresh value in the near cache or L1, or null. Without a near cache it allocates nothing but the value. */
    private @Nullable V localHit(
            K key,
            @Nullable Loader<? super K, ? extends V> loader,
            @Nullable Loading<K, V> loading,
            WriteOptions options) {
        engine.gate().check();
        if (!cache.stance().usesCopies()) {
            return null;
        }
        NearCopy copy = near == null ? null : near.hit(key);
        if (copy != null) {
            if (refreshes) {
                refreshIfDue(key, copy, loader, loading, options);
            }
            return coding.valueOf(copy);
        }
        if (local == null) {
            return null;
        }
        V value;
        long created;
        long freshUntil;
        long readAt;
        Scratch scratch = Scratch.take();
        try {
            boolean timed = scratch.isSampled();
            long started = timed ? System.nanoTime() : 0;
            coding.encodeKey(key, scratch.key);
            NearReads.Glance glance = near == null ? null : near.glance(CacheKey.of(cache.name, scratch.key));
            long trustedUntil = cache.trust.until();
            if (!local.read(scratch.key, scratch.view) || !isFreshValue(scratch.view, trustedUntil)) {
                return null;
            }
            EnvelopeView view = scratch.view;
            value = coding.decode(view.array(), view.payloadOffset(), view.payloadLength());
            created = view.createdMillis();
            freshUntil = view.freshUntilMillis();
            readAt = view.readAtMillis();
            if (value != null) {
                cache.hitsL1.inc();
                if (near != null && glance != null) {
                    near.keep(glance, key, value, view);
                }
                if (timed) {
                    cache.getL1.update(System.nanoTime() - started, TimeUnit.NANOSECONDS);
                    engine.warming().heat().used(CacheKey.of(cache.name, scratch.key), Scratch.SAMPLED_ONE_IN);
                }
            }
        } finally {
            scratch.giveBack();
        }
        if (refreshes && value != null) {
            refreshIfDue(key, created, freshUntil, readAt, loader, loading, options);
        }
        if (value != null && freshUntil - readAt < slidesMillis) {
            engine.sliding().read(coding.key(key), freshUntil, null);
        }
        return value;
    }

    private void refreshIfDue(
            K key,
            NearCopy copy,
            @Nullable Loader<? super K, ? extends V> loader,
            @Nullable Loading<K, V> loading,
            WriteOptions options) {
        long now = engine.clock().millis();
        refreshIfDue(key, copy.createdMillis, copy.freshUntilMillis, now, loader, loading, options);
    }

    /** Allocates nothing unless a refresh may be due. */
    private void refreshIfDue(
            K key,
            long createdMillis,
            long freshUntilMillis,
            long nowMillis,
            @Nullable Loader<? super K, ? extends V> loader,
            @Nullable Loading<K, V> loading,
            WriteOptions options) {
        if (loader == null && loading == null
                || !cache.freshening.mayBeDue(createdMillis, freshUntilMillis, nowMillis, cache.loadTime)) {
            return;
        }
        if (loader != null) {
            async.refresh(key, createdMillis, freshUntilMillis, loader, options);
        } else if (loading != null) {
            async.refresh(key, createdMillis, freshUntilMillis, loading);
        }
    }

    /**
     * @param trustedUntil drawn before the copy was read
     */
    private boolean isFreshValue(EnvelopeView view, long trustedUntil) {
        return view.kind() == EntryKind.VALUE
                && view.readAtMillis() < view.freshUntilMillis()
                && view.readAtMillis() <= trustedUntil
                && !cache.hides(view.versionClock(), view.versionNode())
                && (!view.hasTags()
                        || !cache.tags.mayHide(view.versionClock(), view.versionNode())
                        || cache.tags.judge(view.version(), view.tags()) == TagMarkers.Verdict.VISIBLE);
    }

    @Override
    public ReadResult<V> read(K key) {
        ReadResult<V> hit = localRead(key);
        return hit != null ? hit : await(async.read(key), "read");
    }

    @Override
    public ReadResult<V> read(K key, Loader<? super K, ? extends V> loader) {
        ReadResult<V> hit = localRead(key, loader, null);
        return hit != null ? hit : await(async.read(key, loader), "read");
    }

    @Override
    public ReadResult<V> read(K key, Loading<K, V> loading) {
        ReadResult<V> hit = localRead(key, null, loading);
        return hit != null ? hit : await(async.read(key, loading), "read");
    }

    @Override
    public int read(K key, ByteBuffer into) {
        int copied = localCopy(key, into);
        if (copied != NOTHING) {
            return copied;
        }
        V value = await(async.get(key), "read");
        if (value == null) {
            return NOTHING;
        }
        byte[] encoded = coding.encode(value);
        return copy(encoded, 0, encoded.length, into);
    }

    /** The bytes of a fresh value in L1, past the near cache, which has objects. Allocates nothing. */
    private int localCopy(K key, ByteBuffer into) {
        engine.gate().check();
        if (local == null || !cache.stance().usesCopies()) {
            return NOTHING;
        }
        Scratch scratch = Scratch.take();
        try {
            EnvelopeView view = scratch.view;
            coding.encodeKey(key, scratch.key);
            long trustedUntil = cache.trust.until();
            if (!local.read(scratch.key, view) || !isFreshValue(view, trustedUntil)) {
                return NOTHING;
            }
            int length = copy(view.array(), view.payloadOffset(), view.payloadLength(), into);
            cache.hitsL1.inc();
            if (scratch.isSampled()) {
                engine.warming().heat().used(CacheKey.of(cache.name, scratch.key), Scratch.SAMPLED_ONE_IN);
            }
            if (view.freshUntilMillis() - view.readAtMillis() < slidesMillis) {
                engine.sliding().read(coding.key(key), view.freshUntilMillis(), null);
            }
            return length;
        } finally {
            scratch.giveBack();
        }
    }

    private int copy(byte[] from, int offset, int length, ByteBuffer into) {
        if (into.remaining() < length) {
            throw new BadInputException(
                    "value of " + length + " bytes of cache '" + cache.name + "' does not fit the " + into.remaining()
                            + " that remain in the buffer",
                    "give a larger buffer");
        }
        into.put(from, offset, length);
        return length;
    }

    @Nullable
    ReadResult<V> localRead(K key) {
        return localRead(key, null, null);
    }

    private @Nullable ReadResult<V> localRead(
            K key, @Nullable Loader<? super K, ? extends V> loader, @Nullable Loading<K, V> loading) {
        engine.gate().check();
        if (!cache.stance().usesCopies()) {
            return null;
        }
        NearCopy copy = near == null ? null : near.hit(key);
        if (near != null && copy != null) {
            if (refreshes) {
                refreshIfDue(key, copy, loader, loading, WriteOptions.DEFAULTS);
            }
            return near.result(copy);
        }
        if (local == null) {
            return null;
        }
        ReadResult<V> result;
        long created;
        long freshUntil;
        long readAt;
        Scratch scratch = Scratch.take();
        try {
            coding.encodeKey(key, scratch.key);
            NearReads.Glance glance = near == null ? null : near.glance(CacheKey.of(cache.name, scratch.key));
            EnvelopeView view = scratch.view;
            long trustedUntil = cache.trust.until();
            if (!local.read(scratch.key, view) || !isFreshValue(view, trustedUntil)) {
                return null;
            }
            long age = Math.max(0, view.readAtMillis() - view.createdMillis());
            Version version = view.version();
            V value = coding.decode(view.array(), view.payloadOffset(), view.payloadLength());
            if (value == null) {
                return null;
            }
            cache.hitsL1.inc();
            if (scratch.isSampled()) {
                engine.warming().heat().used(CacheKey.of(cache.name, scratch.key), Scratch.SAMPLED_ONE_IN);
            }
            if (near != null && glance != null) {
                near.keep(glance, key, value, view);
            }
            created = view.createdMillis();
            freshUntil = view.freshUntilMillis();
            readAt = view.readAtMillis();
            result = new ReadResult<>(value, Source.L1, Freshness.FRESH, Duration.ofMillis(age), version);
        } finally {
            scratch.giveBack();
        }
        if (refreshes) {
            refreshIfDue(key, created, freshUntil, readAt, loader, loading, WriteOptions.DEFAULTS);
        }
        if (freshUntil - readAt < slidesMillis) {
            engine.sliding().read(coding.key(key), freshUntil, null);
        }
        return result;
    }

    @Override
    public Map<K, V> getAll(Collection<? extends K> keys) {
        return await(async.getAll(keys), "getAll");
    }

    @Override
    public Map<K, V> getAll(Collection<? extends K> keys, BulkLoader<K, V> loader) {
        return await(async.getAll(keys, loader), "getAll");
    }

    @Override
    public WriteReceipt put(K key, V value) {
        return await(async.put(key, value), "put");
    }

    @Override
    public WriteReceipt put(K key, V value, WriteOptions options) {
        return await(async.put(key, value, options), "put");
    }

    @Override
    public Map<K, WriteReceipt> putAll(Map<? extends K, ? extends V> entries, WriteOptions options) {
        return await(async.putAll(entries, options), "putAll");
    }

    @Override
    public WriteReceipt putIfAbsent(K key, V value, WriteOptions options) {
        return await(async.putIfAbsent(key, value, options), "putIfAbsent");
    }

    @Override
    public WriteReceipt replace(K key, Version expected, V value, WriteOptions options) {
        return await(async.replace(key, expected, value, options), "replace");
    }

    @Override
    public WriteReceipt invalidate(K key, WriteOptions options) {
        return await(async.invalidate(key, options), "invalidate");
    }

    @Override
    public ReadResult<V> read(K key, ReplicationMode by) {
        return await(async.read(key, by), "read");
    }

    @Override
    public Map<K, WriteReceipt> putAll(Map<? extends K, ? extends V> entries) {
        return await(async.putAll(entries), "putAll");
    }

    @Override
    public WriteReceipt putIfAbsent(K key, V value) {
        return await(async.putIfAbsent(key, value), "putIfAbsent");
    }

    @Override
    public WriteReceipt replace(K key, Version expected, V value) {
        return await(async.replace(key, expected, value), "replace");
    }

    @Override
    public WriteReceipt invalidate(K key) {
        return await(async.invalidate(key), "invalidate");
    }

    @Override
    public Map<K, WriteReceipt> invalidate(Collection<? extends K> keys) {
        return await(async.invalidate(keys), "invalidate");
    }

    @Override
    public WriteReceipt remove(K key) {
        return await(async.remove(key), "remove");
    }

    @Override
    public WriteReceipt clear() {
        return await(async.clear(), "clear");
    }

    @Override
    public long increment(K key, long delta) {
        return await(async.increment(key, delta), "increment");
    }

    @Override
    public Explanation explain(K key) {
        return await(async.explain(key), "explain");
    }

    /** Waits for a stage, within the bound that the settings imply. */
    private <T> T await(CompletionStage<T> stage, String what) {
        return Patience.await(stage, longestWaitNanos, what, subject);
    }
}
