package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** What became of a write in one tier. */
public sealed interface StoreOutcome {
    /** The write that went in, in a tier without copies of its own. */
    Applied APPLIED = new Applied(1, 1);

    /**
     * The tier holds the entry now.
     *
     * @param acked copies that had it when this was said
     * @param required how many had to
     */
    record Applied(int acked, int required) implements StoreOutcome {}

    /**
     * The tier kept what it had, because the {@link WriteCondition} did not hold.
     *
     * @param current the version it holds; null when it holds none (only {@link WriteCondition.IfVersion} can fail so)
     */
    record Superseded(@Nullable Version current) implements StoreOutcome {}

    /**
     * A zone kept what it had: it has promised to take nothing older than {@code promised}. Never said by a whole tier.
     *
     * @param promised the version that a conditional write under way will carry
     */
    record Promised(Version promised) implements StoreOutcome {}

    /**
     * The tier has taken it, but fewer servers confirmed that than were asked for: a failover may lose it. Doing it again does
     * no harm, and counts anew.
     *
     * @param acked servers that confirmed, the one that took it included
     * @param required how many must
     */
    record Underacknowledged(TierLevel tier, int acked, int required) implements StoreOutcome {}

    /**
     * The tier will never take this entry as it is.
     *
     * @param reason names the thing and the limit
     */
    record Refused(TierLevel tier, String reason) implements StoreOutcome {}

    /** It could not say. The write may or may not have happened when the cause is a timeout, a lost connection or that it was closed. */
    record Unavailable(TierLevel tier, Unavailability cause, String detail) implements StoreOutcome {}
}
