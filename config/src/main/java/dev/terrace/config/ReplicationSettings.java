package dev.terrace.config;

import java.time.Duration;
import java.util.List;

/**
 * How copies of a key are kept over zones.
 *
 * @param zones the zones as the file names them; empty when it does not, see {@link DistributedCacheSettings#zones}
 * @param hints writes that a zone missed
 * @param resyncEntriesPerSecond most entries a second that are copied into a zone that has forgotten
 * @param compare the background comparison of zones
 * @param hedge second requests to another zone when the first is slow
 * @param majorityForgot what happens when so many zones have forgotten that acknowledged writes may be lost
 * @param waitForDisk whether QUORUM and SYNC within one deployment count copies that are on disk, where its servers can tell
 */
public record ReplicationSettings(
        List<ZoneSettings> zones,
        Hints hints,
        int resyncEntriesPerSecond,
        Compare compare,
        Hedge hedge,
        MajorityForgot majorityForgot,
        boolean waitForDisk) {
    /** Copies the list. */
    public ReplicationSettings {
        zones = List.copyOf(zones);
    }

    /**
     * Writes that a zone missed and gets when it is back.
     *
     * @param maxEntries most hints kept per zone, one per key; what is dropped is left to the comparison
     * @param window longest time a hint is kept; shorter than the tombstone retention, so that nothing comes back from the dead
     */
    public record Hints(int maxEntries, Duration window) {}

    /**
     * The background comparison.
     *
     * @param interval pause between two rounds
     * @param entriesPerSecond most entries a second that are looked at
     */
    public record Compare(Duration interval, int entriesPerSecond) {}

    /**
     * Hedged reads.
     *
     * @param enabled whether a read that takes longer than nearly all do asks a second zone
     * @param atLeast shortest time before the second request, whatever was observed
     */
    public record Hedge(boolean enabled, Duration atLeast) {}

    /** What happens when the zones that still know are too few to prove that nothing acknowledged is lost. */
    public enum MajorityForgot {
        /** The zones are formed anew from everything that any of them holds, and it is said that data may be lost. */
        REFORM,
        /** They do not vote until an operator decides. */
        REFUSE
    }

    /** No named zones, 100,000 hints for 5 minutes, 20,000 entries a second, compared every 5 minutes, hedging. */
    public static ReplicationSettings defaults() {
        return new ReplicationSettings(
                List.of(),
                new Hints(100_000, Duration.ofMinutes(5)),
                20_000,
                new Compare(Duration.ofMinutes(5), 2_000),
                new Hedge(true, Duration.ofMillis(1)),
                MajorityForgot.REFORM,
                false);
    }

    /** These settings with other zones. */
    public ReplicationSettings withZones(List<ZoneSettings> others) {
        return new ReplicationSettings(
                others, hints, resyncEntriesPerSecond, compare, hedge, majorityForgot, waitForDisk);
    }
}
