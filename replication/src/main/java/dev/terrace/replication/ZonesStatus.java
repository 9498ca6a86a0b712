package dev.terrace.replication;

import dev.terrace.spi.Replica;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The zones as the status of one tier. */
final class ZonesStatus {
    private ZonesStatus() {}

    /** Ready while no key can lack a majority; the detail tells of every zone with something the matter. */
    static TierStatus of(Context context, Membership membership, Moving moving, ReplicationMode mode) {
        Placement placement = context.placement();
        Hints hints = context.hints();
        List<Replica> zones = placement.all();
        List<String> away = zones.stream()
                .filter(zone -> membership.standing(zone.zone()) != Standing.MEMBER)
                .map(zone -> zone.zone() + " " + membership.standing(zone.zone()) + " ("
                        + filling(membership, zone.zone()) + zone.status().detail() + ")")
                .collect(Collectors.toCollection(ArrayList::new));
        int absent = away.size();
        zones.stream()
                .filter(zone -> !hints.trouble(zone.zone()).isEmpty())
                .forEach(zone -> away.add(zone.zone() + ": " + hints.trouble(zone.zone())));
        boolean closed = zones.stream().anyMatch(zone -> zone.status().state() == TierStatus.State.CLOSED);
        boolean enough = zones.size() - absent >= Context.majority(placement.copies());
        TierStatus.State state =
                closed ? TierStatus.State.CLOSED : enough ? TierStatus.State.READY : TierStatus.State.CONNECTING;
        if (moving.stage() != Moving.Stage.NONE) {
            away.add("zones change " + placement.transition() + ": " + moving.stage());
        }
        String names = zones.stream().map(Replica::zone).collect(Collectors.joining(", "));
        return new TierStatus(
                TierLevel.L2,
                state,
                placement.copies() + " copies over zones " + names + ", " + mode,
                String.join("; ", away),
                -1,
                -1);
    }

    private static String filling(Membership membership, String zone) {
        long copied = membership.copied(zone);
        return copied < 0 ? "" : "being filled, " + copied + " entries copied so far; ";
    }
}
