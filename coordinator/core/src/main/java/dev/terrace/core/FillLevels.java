package dev.terrace.core;

import dev.terrace.config.JournalSettings;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.failover.Signal;
import dev.terrace.spi.ReplicatedStore;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How much room is left for writes that have yet to arrive, as signals for the ladder. Thread-safe.
 *
 * @param behind what waits for the origin; null where nothing does
 */
record FillLevels(JournalSettings settings, @Nullable WriteBehind behind) {
    private static final int PERCENT_NEARLY_FULL = 80;

    /**
     * Room for writes that L2 misses, and for those that single zones miss. A zone whose room is full is healed by comparison, and
     * others have what it lacks: that is worth saying, and never a reason to refuse writes.
     */
    static Signal hints(@Nullable MissedWrites missed, Map<String, ReplicatedStore.HintRoom> zones, long now) {
        Signal whole = missed == null ? Signal.ABSENT : level("writes that L2 missed are ", missed.percentFull(), now);
        if (whole.state() == Signal.State.DOWN || whole.state() == Signal.State.SLOW) {
            return whole;
        }
        String zonesInTrouble = new TreeMap<>(zones)
                .entrySet().stream()
                        .filter(zone -> zone.getValue().percentFull() >= PERCENT_NEARLY_FULL
                                || !zone.getValue().trouble().isEmpty())
                        .map(zone -> "writes that zone " + zone.getKey() + " missed are "
                                + zone.getValue().percentFull() + " % full"
                                + (zone.getValue().trouble().isEmpty()
                                        ? ""
                                        : ", " + zone.getValue().trouble()))
                        .collect(Collectors.joining("; "));
        return zonesInTrouble.isEmpty() ? whole : new Signal(Signal.State.SLOW, zonesInTrouble, now);
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
