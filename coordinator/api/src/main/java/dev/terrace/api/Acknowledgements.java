package dev.terrace.api;

import dev.terrace.spi.ReplicationMode;
import java.util.Set;

/**
 * Which copies in L2 have a write.
 *
 * @param mode what was asked for
 * @param acked how many copies had it when the write returned: zones, or the servers of the only zone
 * @param required how many had to
 * @param zones names of the zones that had it; empty with one zone only
 * @param hinted names of the zones that missed it and will be told later
 */
public record Acknowledgements(ReplicationMode mode, int acked, int required, Set<String> zones, Set<String> hinted) {
    /** Copies the sets. */
    public Acknowledgements {
        zones = Set.copyOf(zones);
        hinted = Set.copyOf(hinted);
    }

    /** Those of one deployment, by the number of its servers. */
    public static Acknowledgements ofServers(ReplicationMode mode, int acked, int required) {
        return new Acknowledgements(mode, acked, required, Set.of(), Set.of());
    }
}
