package dev.terrace.core;

import dev.terrace.replication.QuorumLeases;
import dev.terrace.spi.Coordinating;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Peeking;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.RateStore;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Where leases and buckets of the fleet lie, once that is known: in the only deployment; or, over several zones, leases with a majority,
 * and every bucket in one zone by its name, because two nodes that take from different zones would take twice. Thread-safe.
 */
final class FleetServices {
    private volatile @Nullable LeaseStore leases;
    private volatile Map<String, RateStore> rates = Map.of();

    private volatile @Nullable Prolonging prolonging;

    private volatile @Nullable Peeking peeking;

    /** Takes what there is, by the names of the zones; the only deployment's is empty. Anything else cannot do it. */
    void use(Map<String, ?> tiers) {
        List<Prolonging> prolong = tiers.values().stream()
                .filter(Prolonging.class::isInstance)
                .map(Prolonging.class::cast)
                .toList();
        prolonging = prolong.isEmpty() ? null : prolong.size() == 1 ? prolong.get(0) : new ProlongingZones(prolong);
        peeking = tiers.size() == 1 && tiers.values().iterator().next() instanceof Peeking one ? one : null;
        Map<String, Coordinating> able = new TreeMap<>();
        tiers.forEach((name, tier) -> {
            if (tier instanceof Coordinating one) {
                able.put(name, one);
            }
        });
        if (able.isEmpty()) {
            return;
        }
        Map<String, RateStore> all = new TreeMap<>();
        able.forEach((name, one) -> all.put(name, one.rates()));
        rates = Map.copyOf(all);
        leases = able.size() == 1
                ? able.values().iterator().next().leases()
                : new QuorumLeases(
                        able.values().stream().map(Coordinating::leases).toList());
    }

    /** What lengthens the lives of entries in L2. */
    @Nullable
    Prolonging prolonging() {
        return prolonging;
    }

    /** What tells versions; null over several zones, of which one does not speak for all. */
    @Nullable
    Peeking peeking() {
        return peeking;
    }

    @Nullable
    LeaseStore leases() {
        return leases;
    }

    /** Where {@code bucket} lies: for all nodes in the same zone, whatever the order in which they name them. */
    @Nullable
    RateStore rates(String bucket) {
        return rates.entrySet().stream()
                .max(Comparator.comparing(
                                (Map.Entry<String, RateStore> zone) -> (zone.getKey() + '/' + bucket).hashCode())
                        .thenComparing(Map.Entry::getKey))
                .map(Map.Entry::getValue)
                .orElse(null);
    }
}
