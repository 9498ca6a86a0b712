package dev.terrace.core;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Codec;
import dev.terrace.api.CodecException;
import dev.terrace.api.KeyCodec;
import dev.terrace.api.RejectedWriteException;
import dev.terrace.api.TerraceException;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.CacheClass;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.Policies;
import dev.terrace.config.Policies.Policy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns the keys and values of one cache into bytes and entries, and refuses what does not fit. Thread-safe. */
final class Coding<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Coding.class);

    private final CacheState cache;
    private final KeyCodec<K> keys;
    private final Codec<V> values;
    private final Policies policies;
    private final LimitSettings limits;

    Coding(CacheState cache, KeyCodec<K> keys, Codec<V> values, Policies policies, LimitSettings limits) {
        this.cache = cache;
        this.keys = keys;
        this.values = values;
        this.policies = policies;
        this.limits = limits;
    }

    /** Writes the key into {@code into}. */
    void encodeKey(@Nullable K key, KeyBuffer into) {
        if (key == null) {
            throw new BadInputException("null key for cache '" + cache.name + "'", "keys are never null");
        }
        into.start(cache.nameBytes);
        try {
            keys.encode(key, into);
        } catch (TerraceException e) {
            throw e;
        } catch (RuntimeException e) {
            cache.codecFailures.inc();
            throw new CodecException("the key codec of cache '" + cache.name + "' failed: " + e, "fix the codec", e);
        }
        int length = into.keyLength();
        if (length == 0) {
            throw new BadInputException("empty key for cache '" + cache.name + "'", "keys have at least one byte");
        }
        if (length > limits.maxKeyBytes()) {
            throw new BadInputException(
                    "key of " + length + " bytes exceeds max_key_bytes " + limits.maxKeyBytes() + " of cache '"
                            + cache.name + "'",
                    "shorten or hash the key, or raise limits.max_key_bytes");
        }
    }

    CacheKey key(@Nullable K key) {
        Scratch scratch = Scratch.take();
        try {
            encodeKey(key, scratch.key);
            return CacheKey.of(cache.name, scratch.key);
        } finally {
            scratch.giveBack();
        }
    }

    /**
     * The key of what {@link #key} made.
     *
     * @throws dev.terrace.api.RejectedWriteException when the codec cannot read its own bytes
     */
    K decodeKey(CacheKey key) {
        try {
            return keys.decode(key.keyBytes());
        } catch (RuntimeException e) {
            cache.codecFailures.inc();
            throw new RejectedWriteException("the key codec of cache '" + cache.name + "' cannot read back a key", e);
        }
    }

    byte[] encode(@Nullable V value) {
        if (value == null) {
            throw new BadInputException(
                    "null value for cache '" + cache.name + "'", "use invalidate to remove, or an Optional-like value");
        }
        byte @Nullable [] payload;
        try {
            payload = values.encode(value);
        } catch (CodecException e) {
            cache.codecFailures.inc();
            throw e;
        } catch (RuntimeException | StackOverflowError e) {
            cache.codecFailures.inc();
            throw new CodecException("the codec of cache '" + cache.name + "' failed: " + e, "fix the codec", e);
        }
        if (payload == null) {
            cache.codecFailures.inc();
            throw new CodecException(
                    "the codec of cache '" + cache.name + "' gave no bytes", "a codec never returns null", null);
        }
        if (payload.length > limits.maxValueBytes()) {
            throw new BadInputException(
                    "value of " + payload.length + " bytes exceeds max_value_bytes " + limits.maxValueBytes()
                            + " of cache '" + cache.name + "'",
                    "store less per key, or raise limits.max_value_bytes");
        }
        return payload;
    }

    /** The value of a payload, or null, counted, when its bytes are not one. */
    @Nullable
    V decode(byte[] bytes, int offset, int length) {
        V value = null;
        try {
            value = values.decode(bytes, offset, length);
        } catch (RuntimeException | StackOverflowError e) {
            // Another codec's bytes, or a codec's bug: to a reader that is a miss, counted below, told by explain().
            LOG.debug("value could not be decoded cache={} bytes={}", cache.name, length, e);
        }
        if (value == null) {
            cache.codecFailures.inc();
        }
        return value;
    }

    NearCopy nearCopy(K key, CacheKey cacheKey, V value, EnvelopeView view, long untilMillis) {
        List<String> tags = view.hasTags() ? view.tags() : List.of();
        return new NearCopy(
                key,
                cacheKey,
                this,
                value,
                view.version(),
                tags,
                view.createdMillis(),
                view.freshUntilMillis(),
                untilMillis);
    }

    NearCopy nearCopy(K key, V value, Entry held, long untilMillis) {
        return new NearCopy(
                key,
                held.key(),
                this,
                value,
                held.version(),
                List.copyOf(held.tags()),
                held.createdMillis(),
                held.freshUntilMillis(),
                untilMillis);
    }

    /** False for what another view with other codecs keeps. */
    boolean made(NearCopy copy) {
        return copy.maker == this
                || copy.maker instanceof Coding<?, ?> other && other.values == values && other.keys == keys;
    }

    /** The value of a copy that {@link #made} says is ours. */
    @SuppressWarnings("unchecked") // the same codec made it
    V valueOf(NearCopy copy) {
        return (V) copy.value;
    }

    @Nullable
    V decode(Entry entry) {
        return decode(entry.payload(), 0, entry.payload().length);
    }

    Policy policy(CacheKey key) {
        return policies.hasClasses()
                ? policies.of(cache.name, () -> new String(key.keyBytes(), StandardCharsets.UTF_8))
                : policies.ofCache(cache.name);
    }

    Entry value(CacheKey key, Version version, long nowMillis, byte[] payload) {
        return value(key, version, nowMillis, payload, WriteOptions.DEFAULTS);
    }

    Entry value(CacheKey key, Version version, long nowMillis, byte[] payload, WriteOptions options) {
        return value(key, version, nowMillis, payload, options.ttl(), options.tags(), policy(key));
    }

    private Entry value(
            CacheKey key,
            Version version,
            long nowMillis,
            byte[] payload,
            @Nullable Duration wantedTtl,
            Set<String> wantedTags,
            Policy policy) {
        Duration ttl = wantedTtl == null ? jittered(policy, key) : wantedTtl;
        long created = created(version, nowMillis);
        long freshUntil = after(created, ttl);
        long staleUntil = after(freshUntil, policy.staleTtl());
        List<String> tags =
                wantedTags.isEmpty() ? List.of() : wantedTags.stream().sorted().toList();
        if (!tags.isEmpty()) {
            // No longer than the markers that may hide it.
            staleUntil = Math.min(staleUntil, after(created, Duration.ofMillis(Markers.TAGGED_LIFE_MILLIS)));
            freshUntil = Math.min(freshUntil, staleUntil);
        }
        return new Entry(key, EntryKind.VALUE, version, created, freshUntil, staleUntil, tags, payload);
    }

    /** Versions do not go back when the clock does, and what is written then must not be over, for others, before it began. */
    private static long created(Version version, long nowMillis) {
        return Math.max(nowMillis, version.epochMillis());
    }

    /** What is asked of a write of {@code key}. */
    Terms terms(CacheKey key, WriteOptions options) {
        Policy policy = policy(key);
        return new Terms(
                options.replication() != null ? options.replication() : PolicyModes.of(policy),
                options.durable() != null ? options.durable() : policy.durable());
    }

    /** A moment later, and never beyond the end of time. */
    private static long after(long millis, Duration time) {
        long later = millis + time.toMillis();
        return later < millis ? Entry.FOREVER : later;
    }

    Entry tombstone(CacheKey key, Version version, long nowMillis) {
        long created = created(version, nowMillis);
        return Entry.tombstone(key, version, created, after(created, limits.tombstoneRetention()));
    }

    /** The entry of what a loader brought; null when "no value" is not to be remembered. */
    @Nullable
    Entry loaded(Flight flight, Brought brought, long nowMillis, WriteOptions options) {
        Policy policy = brought.className() == null ? policy(flight.key) : ofClass(brought.className());
        if (brought.payload() != null) {
            return value(
                    flight.key,
                    flight.began,
                    nowMillis,
                    brought.payload(),
                    brought.ttl() == null ? options.ttl() : brought.ttl(),
                    brought.tags() == null ? options.tags() : brought.tags(),
                    policy);
        }
        Duration negative = brought.ttl() == null ? policy.negativeTtl() : brought.ttl();
        if (negative.isZero()) {
            return null;
        }
        long until = after(nowMillis, negative);
        return new Entry(
                flight.key, EntryKind.NOT_FOUND, flight.began, nowMillis, until, until, List.of(), new byte[0]);
    }

    private Policy ofClass(String className) {
        Policy policy = policies.ofClass(cache.name, className);
        if (policy == null) {
            throw new BadInputException(
                    "the loader of cache '" + cache.name + "' names class '" + className + "', which there is not",
                    "name one of those under classes in the settings: "
                            + policies.settings().classes().stream()
                                    .map(CacheClass::name)
                                    .toList());
        }
        return policy;
    }

    /** The time to live that the settings give, less a share that depends on the key alone: the same on every node. */
    private Duration jittered(Policy policy, CacheKey key) {
        int percent = policy.loading().ttlJitterPercent();
        if (percent == 0) {
            return policy.ttl();
        }
        // Mixed once more, because hash codes of similar keys are similar.
        long mixed = key.hashCode() * 0x9E3779B97F4A7C15L;
        double share = (mixed >>> 11) * 0x1.0p-53;
        long millis = policy.ttl().toMillis();
        return Duration.ofMillis(Math.max(1, millis - (long) (millis * (percent / 100.0) * share)));
    }
}
