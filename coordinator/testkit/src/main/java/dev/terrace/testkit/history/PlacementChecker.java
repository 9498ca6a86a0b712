package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Does every zone that should hold a key hold its newest version? Asked when all faults are over and what heals zones has had
 * its time. Stateless and thread-safe.
 */
public final class PlacementChecker {
    /**
     * Judges every key of {@code holdings}.
     *
     * @param holdings by key and zone, what the zone holds, tombstones included; a zone without an entry holds nothing
     * @param zonesOf the zones that should hold a key
     */
    public Verdict check(Map<String, Map<String, Held>> holdings, Function<String, Set<String>> zonesOf) {
        List<Violation> violations = new ArrayList<>();
        int judged = 0;
        for (Map.Entry<String, Map<String, Held>> key : holdings.entrySet()) {
            Set<String> zones = Objects.requireNonNull(zonesOf.apply(key.getKey()), "zones");
            judged += zones.size();
            Violation violation = check(key.getKey(), key.getValue(), zones);
            if (violation != null) {
                violations.add(violation);
            }
        }
        return violations.isEmpty() ? new Verdict.Holds(judged, 0) : new Verdict.Violated(violations);
    }

    private static @Nullable Violation check(String key, Map<String, Held> byZone, Set<String> zones) {
        Held newest = Held.NOTHING;
        for (Held held : byZone.values()) {
            Version version = held.version();
            if (version != null && version.isNewerThan(newest.version())) {
                newest = held;
            }
        }
        Map<String, Held> behind = new TreeMap<>();
        for (String zone : zones) {
            Held held = byZone.getOrDefault(zone, Held.NOTHING);
            // A tombstone that has run out is as good as one that is there.
            boolean bothAbsent = held.value() == null && newest.value() == null;
            if (!held.equals(newest) && !bothAbsent) {
                behind.put(zone, held);
            }
        }
        return behind.isEmpty()
                ? null
                : new Violation(key, "the newest is " + newest + ", but zones hold " + behind, History.of(List.of()));
    }
}
