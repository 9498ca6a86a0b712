package dev.terrace.core;

import dev.terrace.api.Source;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a search.
 *
 * @param entry the newest entry that may be used: fresh or stale value, negative answer, tombstone; or null
 * @param source where it was found
 */
record Found(@Nullable Entry entry, Source source) {
    static final Found NOTHING = new Found(null, Source.NONE);

    /** A value that may be answered as fresh. */
    boolean isFreshValue(long nowMillis) {
        return entry != null && entry.isValue() && entry.isFresh(nowMillis);
    }

    /** A value that may be answered when nothing fresh can be had. */
    boolean isUsableValue(long nowMillis) {
        return entry != null && entry.isValue() && !entry.isExpired(nowMillis);
    }

    /** The origin said, not long ago, that there is no value. */
    boolean isFreshNegative(long nowMillis) {
        return entry != null && entry.kind() == EntryKind.NOT_FOUND && entry.isFresh(nowMillis);
    }

    /** True when no loader needs to be asked. */
    boolean settles(long nowMillis) {
        return isFreshValue(nowMillis) || isFreshNegative(nowMillis);
    }
}
