package dev.terrace.spi;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * One version of one key, as every tier keeps it. Immutable; the payload array is shared, not copied, and must not be
 * written to.
 *
 * @param key cache and key
 * @param kind value, tombstone or negative answer
 * @param version decides conflicts
 * @param createdMillis when the value was written or loaded, wall-clock milliseconds since the epoch
 * @param freshUntilMillis until when it may be answered as fresh
 * @param staleUntilMillis until when it may be answered at all; never before {@code freshUntilMillis}. Tiers drop it then
 * @param tags labels for group invalidation, possibly empty
 * @param payload the encoded value; empty unless {@code kind} is {@link EntryKind#VALUE}
 */
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode below go by content
public record Entry(
        CacheKey key,
        EntryKind kind,
        Version version,
        long createdMillis,
        long freshUntilMillis,
        long staleUntilMillis,
        List<String> tags,
        byte[] payload) {
    /** Stands for "never" in the two until fields. */
    public static final long FOREVER = Long.MAX_VALUE;

    /** Checks that the parts fit together. */
    public Entry {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(payload, "payload");
        tags = List.copyOf(tags);
        if (staleUntilMillis < freshUntilMillis) {
            throw new IllegalArgumentException(
                    "staleUntilMillis " + staleUntilMillis + " is before freshUntilMillis " + freshUntilMillis);
        }
        if (kind != EntryKind.VALUE && payload.length != 0) {
            throw new IllegalArgumentException("a " + kind + " carries no payload");
        }
    }

    /** A tombstone that tiers keep until {@code keepUntilMillis}. */
    public static Entry tombstone(CacheKey key, Version version, long nowMillis, long keepUntilMillis) {
        return new Entry(
                key, EntryKind.TOMBSTONE, version, nowMillis, keepUntilMillis, keepUntilMillis, List.of(), new byte[0]);
    }

    /** True when the entry carries a value. */
    public boolean isValue() {
        return kind == EntryKind.VALUE;
    }

    /** True while it may be answered as fresh. */
    public boolean isFresh(long nowMillis) {
        return nowMillis < freshUntilMillis;
    }

    /** True once it may no longer be answered at all. */
    public boolean isExpired(long nowMillis) {
        return nowMillis >= staleUntilMillis;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Entry that
                && key.equals(that.key)
                && kind == that.kind
                && version.equals(that.version)
                && createdMillis == that.createdMillis
                && freshUntilMillis == that.freshUntilMillis
                && staleUntilMillis == that.staleUntilMillis
                && tags.equals(that.tags)
                && Arrays.equals(payload, that.payload);
    }

    @Override
    public int hashCode() {
        return Objects.hash(key, kind, version);
    }

    /** Names the entry without its payload, which may be secret. */
    @Override
    public String toString() {
        return kind + " " + key + " v" + version + " (" + payload.length + " bytes)";
    }
}
