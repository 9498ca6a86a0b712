package dev.terrace.replication;

import dev.terrace.api.SetupException;
import dev.terrace.replication.ReplicatedTier.Setup;
import dev.terrace.replication.ReplicatedTier.Transition;
import dev.terrace.spi.Replica;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Whether zones can be replicated over as a setup asks. */
final class SetupCheck {
    private SetupCheck() {}

    /**
     * Refuses what cannot work.
     *
     * @throws SetupException when zones share a name, both join and leave, or are too few for the copies
     */
    static void check(List<? extends Replica> zones, Setup setup) {
        Set<String> names = new TreeSet<>();
        for (Replica zone : zones) {
            if (!names.add(zone.zone())) {
                throw new SetupException("two zones are named '" + zone.zone() + "'", "give each a name of its own");
            }
        }
        Transition transition = setup.transition();
        for (String name : transition.joining()) {
            if (transition.leaving().contains(name)) {
                throw new SetupException("zone '" + name + "' both joins and leaves", "let it do one of the two");
            }
        }
        long staying = names.stream()
                .filter(name -> !transition.leaving().contains(name))
                .count();
        if (staying < setup.copies()) {
            throw new SetupException(
                    "replication_factor " + setup.copies()
                            + " needs as many zones, and without those that leave there are " + staying,
                    "name more zones, or lower replication_factor");
        }
        if (!names.isEmpty() && transition.joining().containsAll(names)) {
            throw new SetupException("every zone joins", "zones that are all new need not join anything");
        }
        if (setup.copies() < 1 || setup.copies() > zones.size()) {
            throw new SetupException(
                    "replication_factor " + setup.copies() + " needs as many zones, and there are " + zones.size(),
                    "name more zones, or lower replication_factor");
        }
    }
}
