package dev.terrace.tier.backup;

import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import org.jspecify.annotations.Nullable;

/** Whether a write may replace what is held. */
final class Conditions {
    private Conditions() {}

    /**
     * Decides.
     *
     * @param held what is held and not expired, or null
     * @return null when the write may go in, otherwise its outcome
     */
    static @Nullable StoreOutcome refuse(WriteCondition condition, Entry entry, @Nullable Entry held, long nowMillis) {
        if (condition instanceof WriteCondition.IfVersion wanted) {
            return held != null && wanted.expected().equals(held.version())
                    ? null
                    : new StoreOutcome.Superseded(held == null ? null : held.version());
        }
        if (held == null) {
            return null;
        }
        if (condition instanceof WriteCondition.IfUnchanged since
                && !held.version().equals(entry.version())
                && !held.version().equals(since.seen())) {
            return new StoreOutcome.Superseded(held.version());
        }
        if (condition instanceof WriteCondition.IfAbsent && held.isValue() && held.isFresh(nowMillis)) {
            return new StoreOutcome.Superseded(held.version());
        }
        int order = held.version().compareTo(entry.version());
        if (order == 0) {
            return StoreOutcome.APPLIED;
        }
        return order > 0 ? new StoreOutcome.Superseded(held.version()) : null;
    }
}
