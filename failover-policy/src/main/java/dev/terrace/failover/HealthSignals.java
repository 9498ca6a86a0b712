package dev.terrace.failover;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * All that the ladder is told of a node's surroundings, at one moment.
 *
 * @param l1 the local tier
 * @param l2 the remote tier as a whole
 * @param zones its zones by name; empty when there is one deployment
 * @param l3 the backup tier, for reads and writes
 * @param disk space where the backup tier and the journal lie
 * @param origin the system of record
 * @param backplane whether other nodes are heard
 * @param hints room for writes that L2 misses: down when there is none
 * @param journal room for writes that the origin has yet to be told: down when there is none
 * @param replayed whether L2 has been handed all that it missed before it was back
 * @param caughtUp whether everything that other nodes said meanwhile has been heard
 */
public record HealthSignals(
        Signal l1,
        Signal l2,
        Map<String, Signal> zones,
        Signal l3,
        Signal disk,
        Signal origin,
        Signal backplane,
        Signal hints,
        Signal journal,
        boolean replayed,
        boolean caughtUp) {
    /** A node without any part, which nothing can happen to. */
    public static final HealthSignals NOTHING = new HealthSignals(
            Signal.ABSENT,
            Signal.ABSENT,
            Map.of(),
            Signal.ABSENT,
            Signal.ABSENT,
            Signal.ABSENT,
            Signal.ABSENT,
            Signal.ABSENT,
            Signal.ABSENT,
            true,
            true);

    /** Copies the map. */
    public HealthSignals {
        zones = Map.copyOf(zones);
    }

    /** Every part that there is, by its name, in words. */
    public Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        put(texts, "l1", l1);
        put(texts, "l2", l2);
        new TreeMap<>(zones).forEach((zone, signal) -> put(texts, "zone " + zone, signal));
        put(texts, "l3", l3);
        put(texts, "disk", disk);
        put(texts, "origin", origin);
        put(texts, "backplane", backplane);
        put(texts, "hints", hints);
        put(texts, "journal", journal);
        return texts;
    }

    private static void put(Map<String, String> texts, String name, Signal signal) {
        if (!signal.is(Signal.State.ABSENT)) {
            texts.put(name, signal.text());
        }
    }
}
