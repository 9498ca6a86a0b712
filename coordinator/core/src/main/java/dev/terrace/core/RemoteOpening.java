package dev.terrace.core;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.ReplicationSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.replication.ReplicatedTier;
import dev.terrace.replication.Timing;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Opens L2 as the settings lay it out: one deployment, several zones, or what its servers turn out to be. */
final class RemoteOpening {
    private static final Duration EXAMINE = Duration.ofMillis(500);

    private final RemoteLayout layout;
    private final Surroundings surroundings;
    private final HybridClock clock;
    private final PolicyModes modes;
    private final Guards guards;
    private final Map<String, ConflictResolver> resolvers;
    private final FleetServices fleet;

    /**
     * @param resolvers what merges concurrent values, by cache name
     * @param fleet is told of what is opened
     */
    RemoteOpening(
            RemoteLayout layout,
            Surroundings surroundings,
            HybridClock clock,
            PolicyModes modes,
            Guards guards,
            Map<String, ConflictResolver> resolvers,
            FleetServices fleet) {
        this.layout = layout;
        this.surroundings = surroundings;
        this.clock = clock;
        this.modes = modes;
        this.guards = guards;
        this.resolvers = resolvers;
        this.fleet = fleet;
    }

    /** @param store keeps hints over a restart; null where nothing does */
    Tier open(ScheduledExecutorService timer, @Nullable HintStore store) {
        DistributedCacheSettings remote = layout.settings();
        if (remote.zonesAreGuessed()) {
            return new UndecidedRemote(
                            layout.detection(),
                            clock,
                            modes,
                            several -> several ? zones(timer, store) : guards.remote(one()))
                    .facade();
        }
        return remote.zones().size() == 1 ? one() : zones(timer, store);
    }

    private Tier one() {
        Tier tier = Providers.tier(layout.settings().backend(), "terrace-tier-redis", "distributed_cache")
                .open(layout.alone());
        fleet.use(Map.of("", tier));
        return tier;
    }

    private Tier zones(ScheduledExecutorService timer, @Nullable HintStore store) {
        ReplicaProvider provider = Providers.zones(layout.settings().backend());
        List<Replica> zones = new ArrayList<>();
        Opened opened = new Opened();
        try {
            // Leases and rates have an answer of their own to a zone that is away, and are never behind its breaker.
            Map<String, Replica> unguarded = new HashMap<>();
            for (ZoneSettings zone : layout.settings().zones()) {
                Replica replica = opened.and(provider.open(zone.name(), layout.whole()));
                unguarded.put(zone.name(), replica);
                zones.add(guards.zone(replica));
            }
            fleet.use(unguarded);
            return guards.zones(
                    new ReplicatedTier(zones, setup(), clock, Timing.real(timer), surroundings.metrics(), store));
        } catch (RuntimeException e) {
            opened.closeBecause(e);
            throw e;
        }
    }

    private ReplicatedTier.Setup setup() {
        DistributedCacheSettings remote = layout.settings();
        Map<String, Double> weights = new HashMap<>();
        remote.zones().forEach(zone -> weights.put(zone.name(), (double) zone.weight()));
        ReplicationSettings.Hints hints = remote.replication().hints();
        return new ReplicatedTier.Setup(
                        remote.replicationFactor(),
                        modes.strongest(),
                        modes,
                        weights,
                        Patience.rounds(remote.timeout()).toMillis(),
                        hints.maxEntries(),
                        hints.window().toMillis(),
                        EXAMINE.toMillis(),
                        healing(remote.replication()))
                .with(transition(remote.zones()))
                .with(reads(remote))
                .with(resolvers);
    }

    private static ReplicatedTier.Transition transition(List<ZoneSettings> zones) {
        return new ReplicatedTier.Transition(
                names(zones, zone -> zone.state() == ZoneSettings.State.JOINING),
                names(zones, zone -> zone.state() == ZoneSettings.State.LEAVING));
    }

    private static ReplicatedTier.Reads reads(DistributedCacheSettings remote) {
        ReplicationSettings.Hedge hedge = remote.replication().hedge();
        return new ReplicatedTier.Reads(
                names(remote.zones(), ZoneSettings::nearest),
                hedge.enabled(),
                hedge.atLeast().toMillis());
    }

    private static Set<String> names(List<ZoneSettings> zones, Predicate<ZoneSettings> which) {
        return zones.stream().filter(which).map(ZoneSettings::name).collect(Collectors.toSet());
    }

    private ReplicatedTier.Healing healing(ReplicationSettings replication) {
        return new ReplicatedTier.Healing(
                replication.resyncEntriesPerSecond(),
                replication.compare().interval().toMillis(),
                replication.compare().entriesPerSecond(),
                surroundings.settings().limits().tombstoneRetention().toMillis(),
                replication.majorityForgot() == ReplicationSettings.MajorityForgot.REFORM);
    }
}
