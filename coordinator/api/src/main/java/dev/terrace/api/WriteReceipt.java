package dev.terrace.api;

import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What became of a write.
 *
 * @param applied false when the condition of a conditional write did not hold, or something newer was there already
 * @param version the version the write carries when applied; otherwise the one it lost to, where known, else its own
 * @param stored tiers that hold it now
 * @param missed tiers that should hold it and could not be reached; they are healed later
 * @param announced whether every other node that keeps listening is sure to hear of it, so that bounds on staleness cover this
 *     write; they do not while {@code missed} names L2. False when nothing was applied, and without a backplane. Eventual
 *     caches have no bound and do not wait for the answer: false there says only that it had not come yet
 * @param durable whether L3 has it in its log, and was waited for
 * @param acknowledgements the copies in L2 that have it; null without an L2, and where L2 was not reached
 * @param origin whether the origin has it, or will have it
 */
public record WriteReceipt(
        boolean applied,
        Version version,
        Set<TierLevel> stored,
        Set<TierLevel> missed,
        boolean announced,
        boolean durable,
        @Nullable Acknowledgements acknowledgements,
        OriginState origin) {
    /** Copies the sets. */
    public WriteReceipt {
        stored = Set.copyOf(stored);
        missed = Set.copyOf(missed);
    }

    /** A receipt of a write that was neither announced nor waited for in L3, nor acknowledged by L2. */
    public WriteReceipt(boolean applied, Version version, Set<TierLevel> stored, Set<TierLevel> missed) {
        this(applied, version, stored, missed, false, false, null);
    }

    /** A receipt of a write that has nothing to do with the origin. */
    public WriteReceipt(
            boolean applied,
            Version version,
            Set<TierLevel> stored,
            Set<TierLevel> missed,
            boolean announced,
            boolean durable,
            @Nullable Acknowledgements acknowledgements) {
        this(applied, version, stored, missed, announced, durable, acknowledgements, OriginState.UNTOUCHED);
    }

    /** The same, announced or not. */
    public WriteReceipt withAnnounced(boolean nowAnnounced) {
        return new WriteReceipt(applied, version, stored, missed, nowAnnounced, durable, acknowledgements, origin);
    }

    /** The same, with what L2's copies said. */
    public WriteReceipt withAcknowledgements(@Nullable Acknowledgements others) {
        return new WriteReceipt(applied, version, stored, missed, announced, durable, others, origin);
    }

    /** The same, with what the origin has to do with it. */
    public WriteReceipt withOrigin(OriginState state) {
        return new WriteReceipt(applied, version, stored, missed, announced, durable, acknowledgements, state);
    }
}
