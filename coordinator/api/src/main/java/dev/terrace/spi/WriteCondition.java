package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** When a tier may replace what it holds. Checked and applied as one step. */
public sealed interface WriteCondition {
    /** The usual rule: only by something newer. */
    WriteCondition IF_NEWER = new IfNewer();

    /** Only when there is no live value. */
    WriteCondition IF_ABSENT = new IfAbsent();

    /** Replace only an older version; holding the very same version counts as applied. */
    record IfNewer() implements WriteCondition {}

    /**
     * Replace only nothing, a tombstone, a negative answer, or an entry that is no longer fresh; and of these none that is newer, because
     * versions never go back.
     */
    record IfAbsent() implements WriteCondition {}

    /**
     * Replace only an older version, and only if what is held is still what was seen, or nothing any more: what a loader brings must
     * not overwrite a write that happened since, however clocks differ.
     *
     * @param seen the version that was held; null when nothing was
     */
    record IfUnchanged(@Nullable Version seen) implements WriteCondition {}

    /** Replace only exactly this version (compare-and-set). */
    record IfVersion(Version expected) implements WriteCondition {}
}
