package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.Version;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What clients have been told, against what the zones hold: knows all of them at once, which no node does, and is asked after every
 * step. An acknowledged write, or what a read has answered, must be held, or something newer, by so many of the zones
 * that vote that every majority meets one of them; what SYNC acknowledged, by all that vote.
 *
 * <p>Deletes are judged by the histories: a tombstone may go when there is nothing left that it hides.
 */
final class SimLedger {
    private final Function<CacheKey, List<SimZone>> zonesOf;
    private final int majority;
    private final Map<CacheKey, Told> byMajority = new LinkedHashMap<>();
    private final Map<CacheKey, Told> byAll = new LinkedHashMap<>();

    private record Told(CacheKey key, Version version, boolean tombstone, String by) {
        boolean isMissing(SimZone zone) {
            Version held = zone.version(key);
            return held == null ? !tombstone : version.isNewerThan(held);
        }
    }

    SimLedger(Function<CacheKey, List<SimZone>> zonesOf, int majority) {
        this.zonesOf = zonesOf;
        this.majority = majority;
    }

    void told(CacheKey key, Version version, boolean tombstone, boolean all, String by) {
        Told told = new Told(key, version, tombstone, by);
        byMajority.merge(key, told, SimLedger::newer);
        if (all) {
            byAll.merge(key, told, SimLedger::newer);
        }
    }

    private static Told newer(Told one, Told other) {
        return other.version().isNewerThan(one.version()) ? other : one;
    }

    /** What is wrong now, or null. */
    @Nullable
    String wrong() {
        for (Told told : byMajority.values()) {
            if (missing(told) >= majority) {
                return sentence(told, "a majority of zones");
            }
        }
        for (Told told : byAll.values()) {
            if (missing(told) > 0) {
                return sentence(told, "a zone");
            }
        }
        return null;
    }

    private int missing(Told told) {
        int missing = 0;
        for (SimZone zone : zonesOf.apply(told.key())) {
            if (told.isMissing(zone) && zone.standing() == Standing.MEMBER) {
                missing++;
            }
        }
        return missing;
    }

    /** What some zone does not hold though nothing is in its way any more, or null. */
    @Nullable
    String unhealed() {
        for (Told told : byMajority.values()) {
            for (SimZone zone : zonesOf.apply(told.key())) {
                // What was only read may be left of a write that nobody acknowledged, and nobody owes it to all zones.
                if (told.isMissing(zone) && told.by().contains("acknowledging")) {
                    return sentence(told, "after everything was healed, " + zone.name);
                }
            }
        }
        return null;
    }

    private String sentence(Told told, String who) {
        StringBuilder text = new StringBuilder(who + " may vote and lacks " + told.key() + " version " + told.version()
                + ", which was told by " + told.by() + ":");
        zonesOf.apply(told.key())
                .forEach(zone -> text.append(' ')
                        .append(zone.name)
                        .append('=')
                        .append(zone.standing())
                        .append(':')
                        .append(zone.version(told.key())));
        return text.toString();
    }
}
