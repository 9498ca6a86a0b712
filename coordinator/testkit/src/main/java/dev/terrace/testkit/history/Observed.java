package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import org.jspecify.annotations.Nullable;

/**
 * What the caller of an operation with outcome {@link Outcome#OK} was told. Immutable.
 *
 * @param applied false when the condition of a conditional write did not hold
 * @param value what a read found, null for "absent"; the new number of an increment; null for other writes
 * @param version the version of what was found or written; null when it was not told
 * @param fresh false when the answer was flagged as possibly stale
 */
public record Observed(
        boolean applied, @Nullable String value, @Nullable Version version, boolean fresh) {
    /** A write took place and told nothing more. */
    public static final Observed DONE = new Observed(true, null, null, true);

    /** The condition did not hold. */
    public static final Observed REFUSED = new Observed(false, null, null, true);

    /** A write took place with this version. */
    public static Observed written(@Nullable Version version) {
        return version == null ? DONE : new Observed(true, null, version, true);
    }

    /** A read found this, fresh. */
    public static Observed found(@Nullable String value, @Nullable Version version) {
        return new Observed(true, value, version, true);
    }

    /** A read found this and said that it may be stale. */
    public static Observed foundStale(@Nullable String value, @Nullable Version version) {
        return new Observed(true, value, version, false);
    }
}
