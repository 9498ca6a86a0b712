package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** Makes entries for tests in few words. */
public final class Entries {
    /** The node id of versions made here. */
    public static final long NODE = 0x7E57;

    private Entries() {}

    /** A version that differs from others by its counter only. */
    public static Version version(long nowMillis, int counter) {
        return Version.of(nowMillis, counter, NODE);
    }

    /** A value that is fresh for {@code ttl} and then expires. */
    public static Entry value(CacheKey key, Version version, long nowMillis, Duration ttl, String text) {
        return value(key, version, nowMillis, ttl, text.getBytes(StandardCharsets.UTF_8));
    }

    /** A value that is fresh for {@code ttl} and then expires. */
    public static Entry value(CacheKey key, Version version, long nowMillis, Duration ttl, byte[] payload) {
        long until = nowMillis + ttl.toMillis();
        return new Entry(key, EntryKind.VALUE, version, nowMillis, until, until, List.of(), payload);
    }

    /** A value that is fresh for {@code ttl} and may be answered stale for {@code staleTtl} more. */
    public static Entry staleable(
            CacheKey key, Version version, long nowMillis, Duration ttl, Duration staleTtl, String text) {
        long freshUntil = nowMillis + ttl.toMillis();
        return new Entry(
                key,
                EntryKind.VALUE,
                version,
                nowMillis,
                freshUntil,
                freshUntil + staleTtl.toMillis(),
                List.of(),
                text.getBytes(StandardCharsets.UTF_8));
    }

    /** A tombstone kept for {@code keep}. */
    public static Entry tombstone(CacheKey key, Version version, long nowMillis, Duration keep) {
        return Entry.tombstone(key, version, nowMillis, nowMillis + keep.toMillis());
    }

    /** The payload as text. */
    public static String text(Entry entry) {
        return new String(entry.payload(), StandardCharsets.UTF_8);
    }
}
