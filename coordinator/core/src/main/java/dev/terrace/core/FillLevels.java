package dev.terrace.core;

import dev.terrace.config.JournalSettings;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.failover.Signal;
import org.jspecify.annotations.Nullable;

/**
 * How much room is left for writes that have yet to arrive, as signals for the ladder. Thread-safe.
 *
 * @param behind what waits for the origin; null where nothing does
 */
record FillLevels(JournalSettings settings, @Nullable WriteBehind behind) {
    private static final int PERCENT_NEARLY_FULL = 80;

    /** Room for writes that L2 misses. */
    static Signal hints(@Nullable MissedWrites missed, long now) {
        return missed == null ? Signal.ABSENT : level("writes that L2 missed are ", missed.percentFull(), now);
    }

    /** Room in the journal, if it can be written at all. */
    Signal journal(long now) {
        WriteBehind writer = behind;
        if (writer == null) {
            return Signal.ABSENT;
        }
        String trouble = writer.trouble();
        if (trouble != null) {
            return Signal.down(trouble, now);
        }
        long byCount = 100L * writer.size() / settings.maxEntries();
        long byBytes = 100 * writer.bytes() / ((long) settings.maxMib() << 20);
        return level("the journal is ", (int) Math.min(100, Math.max(byCount, byBytes)), now);
    }

    private static Signal level(String what, int percent, long now) {
        String fill = what + percent + " % full";
        return percent >= 100
                ? Signal.down(fill, now)
                : percent >= PERCENT_NEARLY_FULL ? new Signal(Signal.State.SLOW, fill, now) : Signal.up(now);
    }
}
