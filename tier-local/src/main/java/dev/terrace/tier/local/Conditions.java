package dev.terrace.tier.local;

import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import org.jspecify.annotations.Nullable;

/** Whether a write may replace what is held. */
final class Conditions {
    private Conditions() {}

    /**
     * Decides.
     *
     * @param held what is held, or null
     * @return null when the write may go in, otherwise its outcome
     */
    static @Nullable StoreOutcome refuse(
            WriteCondition condition, Entry entry, @Nullable EnvelopeView held, long nowMillis) {
        if (condition instanceof WriteCondition.IfVersion wanted) {
            Version current = held == null ? null : held.version();
            return wanted.expected().equals(current) ? null : new StoreOutcome.Superseded(current);
        }
        if (held == null) {
            return null;
        }
        if (condition instanceof WriteCondition.IfUnchanged since) {
            Version current = held.version();
            if (!current.equals(entry.version()) && !current.equals(since.seen())) {
                return new StoreOutcome.Superseded(current);
            }
        }
        if (condition instanceof WriteCondition.IfAbsent
                && held.kind() == EntryKind.VALUE
                && nowMillis < held.freshUntilMillis()) {
            return new StoreOutcome.Superseded(held.version());
        }
        int order = Long.compareUnsigned(held.versionClock(), entry.version().clock());
        if (order == 0) {
            order = Long.compareUnsigned(held.versionNode(), entry.version().node());
        }
        if (order == 0) {
            return StoreOutcome.APPLIED;
        }
        return order > 0 ? new StoreOutcome.Superseded(held.version()) : null;
    }
}
