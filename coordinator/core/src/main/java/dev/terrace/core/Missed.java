package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The writes that L2 and L3 have not confirmed.
 *
 * @param remote those of L2; null without an L2
 * @param backup those of L3; null without an L3
 */
record Missed(@Nullable MissedWrites remote, @Nullable MissedWrites backup) {
    /** Remembers or forgets a write by what became of it. */
    static void note(@Nullable MissedWrites missed, Entry entry, StoreOutcome outcome) {
        if (missed == null) {
            return;
        }
        if (outcome instanceof StoreOutcome.Unavailable) {
            missed.add(entry);
        } else {
            missed.confirmed(entry);
        }
    }

    /** What a tier is known to lack of {@code key}. */
    static @Nullable Entry pending(@Nullable MissedWrites missed, CacheKey key) {
        return missed == null ? null : missed.pending(key);
    }

    /** What a tier is known to lack of {@code keys}. */
    static Map<CacheKey, Entry> pending(@Nullable MissedWrites missed, Collection<CacheKey> keys) {
        Map<CacheKey, Entry> pending = new HashMap<>();
        for (CacheKey key : keys) {
            Entry entry = pending(missed, key);
            if (entry != null) {
                pending.put(key, entry);
            }
        }
        return pending;
    }

    /** How many writes would be forgotten if the process ended now. */
    int size() {
        return (remote == null ? 0 : remote.size()) + (backup == null ? 0 : backup.size());
    }
}
