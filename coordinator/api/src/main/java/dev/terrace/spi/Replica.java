package dev.terrace.spi;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One zone: an independent deployment that holds a full copy of the keys assigned to it. Thread-safe.
 *
 * <p>The methods of {@link Tier} are the plain ones, for classes that do not ask for a majority: {@code get} may be
 * answered by a zone that has forgotten; {@code put} and {@code putAll} are fenced like the others here.
 *
 * <p><b>Fence.</b> Whatever counts towards a majority runs only in the incarnation of the zone that was admitted. A zone that
 * restarted, rolled back or promoted a replica answers {@link Unavailability#FORGETFUL} until it is {@linkplain #admit
 * admitted} again, which only re-synchronisation may do. See {@code docs/adr/0005}.
 *
 * <p><b>What a refusal says.</b> {@link Unavailability#ERROR}, {@link Unavailability#STORAGE}, {@link Unavailability#OVERLOADED}
 * and {@link Unavailability#FORGETFUL} mean that the zone did nothing and never will: it said so, or was not asked. Any other
 * cause leaves that open. A zone executes what it is asked at most once.
 *
 * <p>As for every tier, stages complete normally and within the zone's deadline.
 */
public interface Replica extends Tier {
    /** The zone's name in settings and metrics. */
    String zone();

    /** What the zone holds, tombstones included, as a vote. */
    CompletionStage<Lookup> vote(CacheKey key);

    /** The highest version the zone holds or has promised for {@code key}, as a vote. */
    CompletionStage<Ballot> query(CacheKey key);

    /**
     * Promises to take nothing older than {@code version} for {@code key}, if nothing newer is held or promised. The promise
     * may be forgotten after {@code keep}, and what was promised before is kept as long as it was to be; {@link #accept} then
     * fails. Nothing else takes a promise back, an acceptance neither.
     */
    CompletionStage<Promise> promise(CacheKey key, Version version, Duration keep);

    /**
     * Stores {@code entry} if its version still is the one promised and nothing newer is held. Stores by {@code put} that are
     * older than a promise are answered as {@link StoreOutcome.Promised}, also when something newer than both is held by now.
     */
    CompletionStage<StoreOutcome> accept(Entry entry);

    /** Asks the zone where it stands. */
    CompletionStage<Standing> examine();

    /**
     * Begins to fill a zone that may not vote. {@link #admit} with the same token fails once the zone has lost what it was
     * filled with, because it restarted, was flushed or was replaced meanwhile. Several fillings may be under
     * way; of many, the oldest may end.
     *
     * @return false when it could not be done
     */
    default CompletionStage<Boolean> begin(String token) {
        return CompletableFuture.completedStage(true);
    }

    /**
     * Lets the zone vote again, as a new incarnation. Only re-synchronisation calls this, after it has copied what the zone may
     * have forgotten.
     *
     * @param token names the incarnation: that of {@link #begin}, never used for another filling
     * @return false when it could not be done, or no filling was begun with this token, or the zone has forgotten since
     */
    CompletionStage<Boolean> admit(String token);

    /** Stores {@code entry} if newer, past the fence: how re-synchronisation fills a zone that may not vote. */
    CompletionStage<StoreOutcome> restore(Entry entry);

    /**
     * Has the zone keep a promise that others have given, past the fence, unless it keeps a higher one: how re-synchronisation fills a
     * zone that may have forgotten its own.
     *
     * @param keep how long at least
     * @return false when it could not be done
     */
    CompletionStage<Boolean> restorePromise(CacheKey key, Version version, Duration keep);

    /**
     * A part of what the zone holds and has promised, in the zone's own order; entries that come and go meanwhile may be missing or twice.
     *
     * @param cursor null to begin, else {@link ReplicaPage#next} of the page before; that of a zone which has restarted since
     *     fails
     * @param limit about how many keys to look at
     */
    CompletionStage<ReplicaPage> page(@Nullable String cursor, int limit);

    /** A zone's answer to {@link #query}. */
    sealed interface Ballot {
        /** The highest version held or promised; null when neither is known. */
        record Known(@Nullable Version version) implements Ballot {}

        /** It could not say. */
        record Unknown(Unavailability cause, String detail) implements Ballot {}
    }

    /** A zone's answer to {@link #promise}. */
    sealed interface Promise {
        /** Given; {@code held} is what the zone holds now, or null. */
        record Given(@Nullable Entry held) implements Promise {}

        /** Not given: {@code higher} is held or promised. */
        record Denied(Version higher) implements Promise {}

        /** It could not say. */
        record Unknown(Unavailability cause, String detail) implements Promise {}
    }

    /** Where a zone stands. */
    enum Standing {
        /** It votes. */
        MEMBER,
        /** It was a member and has restarted, rolled back or been replaced since. */
        FORGETFUL,
        /** It was never a member and holds nothing of ours. */
        NEW,
        /** It is another zone than its address promised. */
        FOREIGN,
        /** No answer. */
        UNREACHABLE
    }
}
