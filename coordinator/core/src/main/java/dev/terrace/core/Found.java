package dev.terrace.core;

import dev.terrace.api.Source;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a search.
 *
 * @param entry the newest entry that may be used: fresh or stale value, negative answer, tombstone; or null
 * @param source where it was found
 * @param doubtful true when another node may have replaced it, without this one having heard of it
 * @param incomplete true when a tier that may hold more did not answer
 * @param seenByRemote the version that L2 held, usable or not; null when it held nothing or did not say
 * @param remoteLater the same, once L2 has said it, when the search has not waited for that; else null
 */
record Found(
        @Nullable Entry entry,
        Source source,
        boolean doubtful,
        boolean incomplete,
        @Nullable Version seenByRemote,
        @Nullable CompletionStage<@Nullable Version> remoteLater) {
    static final Found NOTHING = new Found(null, Source.NONE);

    Found(@Nullable Entry entry, Source source) {
        this(entry, source, false, false, null, null);
    }

    /** The same, which may have been replaced without this node having heard of it. */
    Found doubted() {
        return entry == null ? this : new Found(entry, source, true, incomplete, seenByRemote, remoteLater);
    }

    /** The same, with what L2 held. */
    Found withRemote(@Nullable Version seen) {
        return new Found(entry, source, doubtful, incomplete, seen, remoteLater);
    }

    /** The same, with what L2 will say that it held. */
    Found withRemoteLater(CompletionStage<@Nullable Version> later) {
        return new Found(entry, source, doubtful, incomplete, seenByRemote, later);
    }

    /** The same, after a tier that may hold more did not answer. */
    Found withGap() {
        return incomplete ? this : new Found(entry, source, doubtful, true, seenByRemote, remoteLater);
    }

    /** True when a tier did not answer that may hold a value, or know that what was found has been replaced. */
    boolean isUnknown() {
        return incomplete && (doubtful || entry == null);
    }

    /** A value that may be answered as fresh. */
    boolean isFreshValue(long nowMillis) {
        return entry != null && !doubtful && entry.isValue() && entry.isFresh(nowMillis);
    }

    /** A value that may be answered when nothing fresh can be had. */
    boolean isUsableValue(long nowMillis) {
        return entry != null
                && entry.isValue()
                && !entry.isExpired(nowMillis)
                && (!doubtful || entry.staleUntilMillis() > entry.freshUntilMillis());
    }

    /** The origin said, not long ago, that there is no value. */
    boolean isFreshNegative(long nowMillis) {
        return entry != null && !doubtful && entry.kind() == EntryKind.NOT_FOUND && entry.isFresh(nowMillis);
    }

    /** True when no loader needs to be asked. */
    boolean settles(long nowMillis) {
        return isFreshValue(nowMillis) || isFreshNegative(nowMillis);
    }
}
