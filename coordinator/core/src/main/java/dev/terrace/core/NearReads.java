package dev.terrace.core;

import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Version;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Answers reads from the near cache, and copies into it what L1 answered. A hit costs a look into a map, the check of trust, and
 * the clock. One per view of a cache; thread-safe.
 */
final class NearReads<K, V> {
    private final NearCache near;
    private final CacheState cache;
    private final Coding<K, V> coding;
    private final LocalCopies copies;
    private final HybridClock clock;
    private final Mutant mutant;
    private final Sliding sliding;
    private final long slidesMillis;

    private NearReads(
            NearCache near,
            CacheState cache,
            Coding<K, V> coding,
            LocalCopies copies,
            HybridClock clock,
            Sliding sliding) {
        this.sliding = sliding;
        this.slidesMillis = sliding.longestMillis(cache.name);
        this.near = near;
        this.cache = cache;
        this.coding = coding;
        this.copies = copies;
        this.clock = clock;
        this.mutant = copies.mutant();
    }

    /** Null when the settings give the cache no near cache, or there is no L1 that it could be in front of. */
    static <K, V> @Nullable NearReads<K, V> of(Engine engine, CacheState cache, Coding<K, V> coding) {
        NearCache near =
                engine.tiers().local() == null ? null : engine.copies().near().open(cache.name);
        return near == null
                ? null
                : new NearReads<>(near, cache, coding, engine.copies(), engine.clock(), engine.sliding());
    }

    /** A value that may be answered as fresh, or null. */
    @Nullable
    V value(@Nullable K key) {
        NearCopy copy = hit(key);
        return copy == null ? null : coding.valueOf(copy);
    }

    /** As {@link #value}, with what is known about it. */
    @Nullable
    ReadResult<V> result(@Nullable K key) {
        NearCopy copy = hit(key);
        return copy == null ? null : result(copy);
    }

    /** What is known about a copy that was just {@linkplain #hit found}. */
    ReadResult<V> result(NearCopy copy) {
        Duration age = Duration.ofMillis(Math.max(0, clock.millis() - copy.createdMillis));
        return new ReadResult<>(coding.valueOf(copy), Source.NEAR, Freshness.FRESH, age, copy.version());
    }

    /** A copy that may be answered as fresh, or null. */
    @Nullable
    NearCopy hit(@Nullable K key) {
        if (key == null) {
            return null;
        }
        // Before the copy is looked for: what was heard by now has been done to it. The clock too, because the
        // processor waits for
        // all earlier loads to read it: afterwards it would wait for the copy before it asked for what lies in it.
        long now = clock.millis();
        long trustedUntil = mutant == Mutant.NEAR_ALWAYS_TRUSTED ? Long.MAX_VALUE : cache.trust.until();
        NearCopy copy = near.find(key);
        if (copy == null || !coding.made(copy) || !isUsable(cache, copy, now, trustedUntil)) {
            return null;
        }
        near.hits.inc();
        if (slidesMillis > 0 && copy.freshUntilMillis - now < slidesMillis) {
            sliding.read(copy.cacheKey, copy.freshUntilMillis, null);
        }
        return copy;
    }

    /**
     * @param trustedUntil drawn before the copy was looked for
     */
    static boolean isUsable(CacheState cache, NearCopy copy, long nowMillis, long trustedUntil) {
        return nowMillis < copy.untilMillis
                && nowMillis <= trustedUntil
                && !cache.hides(copy.versionClock, copy.versionNode)
                && (copy.tags.isEmpty() || cache.tags.judge(copy.version(), copy.tags) == TagMarkers.Verdict.VISIBLE);
    }

    /** Copies what a search answered, if L1 holds just that by now. */
    void keep(K key, CacheKey cacheKey, V value, Version version) {
        if (!key.getClass().isArray()) {
            copies.keepNear(near, cacheKey, version, held -> {
                long until = near.until(held.freshUntilMillis(), clock.millis());
                return coding.nearCopy(key, value, held, until);
            });
        }
    }

    /** To be taken before L1 is asked. */
    Glance glance(CacheKey key) {
        return new Glance(key, near.era(), copies.touches(key));
    }

    /**
     * What there was before L1 was asked.
     *
     * @param era of the near cache, see {@link NearCache#era}
     * @param touches how often something under the key's stripe had been changed
     */
    record Glance(CacheKey key, Object era, long touches) {}

    /** Copies what L1 answered, unless that was, or may have been, replaced since. */
    void keep(Glance glance, K key, V value, EnvelopeView view) {
        if (key.getClass().isArray()) {
            // Found again by nobody: arrays are equal to themselves only.
            return;
        }
        long until = near.until(view.freshUntilMillis(), view.readAtMillis());
        NearCopy copy = coding.nearCopy(key, glance.key(), value, view, until);
        copies.keepNear(near, copy, glance);
    }
}
