package dev.terrace.core;

import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import org.jspecify.annotations.Nullable;

/**
 * The writes that L2 and L3 have not confirmed.
 *
 * @param remote those of L2; null without an L2
 * @param backup those of L3; null without an L3
 */
record Missed(@Nullable MissedWrites remote, @Nullable MissedWrites backup) {
    /** Remembers or forgets a write by what became of it. */
    static void note(@Nullable MissedWrites missed, Entry entry, StoreOutcome outcome) {
        if (missed == null) {
            return;
        }
        if (outcome instanceof StoreOutcome.Unavailable) {
            missed.add(entry);
        } else if (outcome instanceof StoreOutcome.Applied) {
            missed.confirmed(entry);
        }
    }

    /** How many writes would be forgotten if the process ended now. */
    int size() {
        return (remote == null ? 0 : remote.size()) + (backup == null ? 0 : backup.size());
    }
}
