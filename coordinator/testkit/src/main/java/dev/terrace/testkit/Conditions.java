package dev.terrace.testkit;

import dev.terrace.spi.Entry;
import dev.terrace.spi.WriteCondition;
import org.jspecify.annotations.Nullable;

/** The meaning of each {@link WriteCondition}, spelled out once for the heap tiers. */
final class Conditions {
    private Conditions() {}

    /** True when {@code entry} may replace {@code held}, which is live or null. */
    static boolean hold(WriteCondition condition, @Nullable Entry held, Entry entry, long nowMillis) {
        if (condition instanceof WriteCondition.IfVersion wanted) {
            return held != null && held.version().equals(wanted.expected());
        }
        if (condition instanceof WriteCondition.IfUnchanged since
                && held != null
                && !held.version().equals(entry.version())
                && !held.version().equals(since.seen())) {
            return false;
        }
        if (condition instanceof WriteCondition.IfAbsent) {
            boolean absent = held == null || !held.isValue() || !held.isFresh(nowMillis);
            return absent && (held == null || !held.version().isNewerThan(entry.version()));
        }
        return held == null || entry.version().compareTo(held.version()) >= 0;
    }
}
