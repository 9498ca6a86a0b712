package dev.terrace.core;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.Policies;
import dev.terrace.config.ReplicationSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.failover.GuardedTier;
import dev.terrace.replication.ReplicatedTier;
import dev.terrace.replication.Timing;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.KeyWatch;
import dev.terrace.spi.KeyWatchProvider;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.SteadyClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierProvider;
import dev.terrace.spi.ZoneDetection;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Puts a coordinator together. */
final class Wiring implements TierContext {
    private final Settings settings;
    private final InstantSource wall;
    private final MetricRegistry metrics;
    private final HybridClock clock;
    private final List<Backplane> backplanes;
    private final Policies policies;
    private final PolicyModes modes;
    private final Promises promises;
    private final Mutant mutant;
    private Map<String, ConflictResolver> resolvers = Map.of();
    private @Nullable ZoneDetection detection;

    private static final Duration EXAMINE = Duration.ofMillis(500);
    private static final Duration LONGEST_BEAT = Duration.ofSeconds(1);
    private static final Duration SHORTEST_BEAT = Duration.ofMillis(5);

    Wiring(Settings settings, InstantSource wall, MetricRegistry metrics, long node) {
        this(settings, wall, metrics, node, List.of(), null, Mutant.NONE);
    }

    Wiring(
            Settings settings,
            InstantSource wall,
            MetricRegistry metrics,
            long node,
            List<Backplane> backplanes,
            @Nullable Promises promises,
            Mutant mutant) {
        this.backplanes = new ArrayList<>(backplanes);
        this.policies = new Policies(settings);
        this.modes = new PolicyModes(policies);
        this.promises = promises != null ? promises : new PolicyPromises(policies);
        this.mutant = mutant;
        this.settings = settings;
        this.wall = new SteadyClock(wall);
        this.metrics = metrics;
        this.clock = new HybridClock(this.wall, node, settings.limits().maxClockDrift());
    }

    /** What merges concurrent values, by cache name. */
    void resolvers(Map<String, ConflictResolver> byCache) {
        resolvers = Map.copyOf(byCache);
    }

    @Override
    public <T> T settings(Class<T> type) {
        for (Object part : new Object[] {
            settings.localCache(),
            settings.distributedCache(),
            settings.backupStorage(),
            settings.limits(),
            settings.backplane(),
            settings
        }) {
            if (type.isInstance(part)) {
                return type.cast(part);
            }
        }
        throw new IllegalArgumentException("no settings of type " + type.getName());
    }

    @Override
    public MetricRegistry metrics() {
        return metrics;
    }

    @Override
    public InstantSource clock() {
        return wall;
    }

    /** Opens the tiers that are enabled, or none of them when one fails. */
    CacheCoordinator withDiscoveredTiers() {
        Tier local = null;
        Tier remote = null;
        Tier backup = null;
        ScheduledExecutorService timer = timer("terrace-timer");
        try {
            if (settings.localCache().enabled()) {
                local = open("chronicle", "terrace-tier-local", "local_cache");
                if (!(local instanceof LocalTier)) {
                    throw new SetupException("the provider 'chronicle' gave a tier that is not local", "");
                }
            }
            if (settings.backupStorage().enabled()) {
                backup = open("rocksdb", "terrace-tier-backup", "backup_storage");
            }
            openBackplanes();
            if (settings.distributedCache().enabled()) {
                remote = openRemote(timer, backup instanceof HintStore hints ? hints : null);
            }
            return withTiers((LocalTier) local, remote, backup, timer);
        } catch (RuntimeException e) {
            closeQuietly(local, e);
            closeQuietly(remote, e);
            closeQuietly(backup, e);
            backplanes.forEach(channel -> closeQuietly(channel, e));
            timer.shutdownNow();
            throw e;
        }
    }

    /** The channels that the settings ask for, unless some were given. */
    private void openBackplanes() {
        BackplaneSettings wanted = settings.backplane();
        if (!backplanes.isEmpty() || !wanted.enabled()) {
            return;
        }
        DistributedCacheSettings remote = settings.distributedCache();
        if (remote.enabled()) {
            BackplaneProvider logs = backplane(remote.backend(), "terrace-tier-redis");
            List<ZoneSettings> zones = remote.zones();
            for (ZoneSettings zone : zones) {
                backplanes.add(
                        remote.zonesAreGuessed()
                                ? new UndecidedBackplane(
                                        "log-" + zone.name(),
                                        detection(),
                                        several -> logs.open(
                                                zone.name(), within(several ? remote.ofZone(zone) : aside(zone))))
                                : zones.size() == 1
                                        ? logs.open("", alone())
                                        : logs.open(zone.name(), within(remote.ofZone(zone))));
            }
        }
        if (wanted.group().enabled()) {
            backplanes.add(backplane("jgroups", "terrace-backplane-jgroups").open("", this));
        }
    }

    /** The whole of L2, with keys that no other log uses. */
    private DistributedCacheSettings aside(ZoneSettings zone) {
        DistributedCacheSettings remote = settings.distributedCache();
        return remote.withKeyPrefix(remote.keyPrefix() + "~" + zone.name());
    }

    private TierContext within(DistributedCacheSettings remote) {
        return new Wiring(settings.withDistributedCache(remote), wall, metrics, clock.node());
    }

    private ZoneDetection detection() {
        if (detection == null) {
            detection = replicas(settings.distributedCache().backend()).detect(this);
        }
        return detection;
    }

    /** One for each zone that is named; else one, which finds out what there is. */
    private List<KeyWatch> openWatches() {
        DistributedCacheSettings remote = settings.distributedCache();
        if (!remote.enabled() || !settings.backplane().externalWriters()) {
            return List.of();
        }
        for (KeyWatchProvider candidate : ServiceLoader.load(KeyWatchProvider.class)) {
            if (candidate.name().equals(remote.backend())) {
                return remote.replication().zones().isEmpty()
                        ? List.of(candidate.open("", this))
                        : remote.zones().stream()
                                .map(zone -> candidate.open(zone.name(), within(remote.ofZone(zone))))
                                .toList();
            }
        }
        throw new SetupException(
                "external_writers is enabled, but no provider of watches named '" + remote.backend()
                        + "' is on the class path",
                "add dev.terrace:terrace-tier-redis, or set backplane.external_writers: false");
    }

    private static BackplaneProvider backplane(String name, String artifact) {
        for (BackplaneProvider candidate : ServiceLoader.load(BackplaneProvider.class)) {
            if (candidate.name().equals(name)) {
                return candidate;
            }
        }
        throw new SetupException(
                "the backplane is enabled, but no provider named '" + name + "' is on the class path",
                "add dev.terrace:" + artifact + ", or set backplane.enabled: false");
    }

    private Tier openRemote(ScheduledExecutorService timer, @Nullable HintStore store) {
        DistributedCacheSettings remote = settings.distributedCache();
        if (remote.zonesAreGuessed()) {
            return new UndecidedRemote(
                            detection(),
                            clock,
                            modes,
                            several -> several ? openZones(timer, store) : guarded(openOne()))
                    .facade();
        }
        return remote.zones().size() == 1 ? openOne() : openZones(timer, store);
    }

    private Tier openOne() {
        return open(settings.distributedCache().backend(), "terrace-tier-redis", "distributed_cache", alone());
    }

    /** As the only deployment sees it: its nodes may be named as those of a zone. */
    private TierContext alone() {
        DistributedCacheSettings remote = settings.distributedCache();
        List<ZoneSettings> named = remote.replication().zones();
        return named.size() == 1 ? within(remote.ofZone(named.get(0))) : this;
    }

    private Tier guarded(Tier tier) {
        return guard(tier, settings.distributedCache().timeout());
    }

    private static ReplicaProvider replicas(String name) {
        for (ReplicaProvider candidate : ServiceLoader.load(ReplicaProvider.class)) {
            if (candidate.name().equals(name)) {
                return candidate;
            }
        }
        throw new SetupException(
                "distributed_cache names several zones, but no provider of zones named '" + name
                        + "' is on the class path",
                "add dev.terrace:terrace-tier-redis, or name one zone");
    }

    private Tier openZones(ScheduledExecutorService timer, @Nullable HintStore store) {
        DistributedCacheSettings remote = settings.distributedCache();
        ReplicaProvider provider = replicas(remote.backend());
        Map<String, Double> weights = new HashMap<>();
        List<Replica> zones = new ArrayList<>();
        try {
            for (ZoneSettings zone : remote.zones()) {
                zones.add(provider.open(zone.name(), this));
                weights.put(zone.name(), (double) zone.weight());
            }
            ReplicationSettings.Hints hints = remote.replication().hints();
            ReplicatedTier.Setup setup = new ReplicatedTier.Setup(
                            remote.replicationFactor(),
                            modes.strongest(),
                            modes,
                            weights,
                            roundsDeadline(remote.timeout()).toMillis(),
                            hints.maxEntries(),
                            hints.window().toMillis(),
                            EXAMINE.toMillis(),
                            healing(remote.replication()))
                    .with(transition(remote.zones()))
                    .with(reads(remote))
                    .with(resolvers);
            return new MeteredStore(
                    new ReplicatedTier(zones, setup, clock, Timing.real(timer), metrics, store), metrics);
        } catch (RuntimeException e) {
            zones.forEach(zone -> closeQuietly(zone, e));
            throw e;
        }
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
                settings.limits().tombstoneRetention().toMillis(),
                replication.majorityForgot() == ReplicationSettings.MajorityForgot.REFORM);
    }

    /** An operation over several zones has up to three rounds, each within a zone's own deadline. */
    static Duration roundsDeadline(Duration timeout) {
        return timeout.multipliedBy(3);
    }

    private static void closeQuietly(@Nullable AutoCloseable part, RuntimeException why) {
        if (part != null) {
            try {
                part.close();
            } catch (Exception e) {
                why.addSuppressed(e);
            }
        }
    }

    private Tier open(String provider, String artifact, String section) {
        return open(provider, artifact, section, this);
    }

    private static Tier open(String provider, String artifact, String section, TierContext context) {
        for (TierProvider candidate : ServiceLoader.load(TierProvider.class)) {
            if (candidate.name().equals(provider)) {
                return candidate.open(context);
            }
        }
        throw new SetupException(
                section + " is enabled, but no provider named '" + provider + "' is on the class path",
                "add dev.terrace:" + artifact + ", or set " + section + ".enabled: false");
    }

    CacheCoordinator withTiers(@Nullable LocalTier local, @Nullable Tier remote, @Nullable Tier backup) {
        Tier store = remote instanceof ReplicatedStore zones ? new MeteredStore(zones, metrics) : remote;
        return withTiers(local, store, backup, timer("terrace-timer"));
    }

    private CacheCoordinator withTiers(
            @Nullable LocalTier local, @Nullable Tier remote, @Nullable Tier backup, ScheduledExecutorService timer) {
        // Zones keep their own deadlines, and a breaker around all of them would let one that is bad stop the others.
        boolean unguarded = remote instanceof ReplicatedStore || remote instanceof UndecidedRemote.Facade;
        Tiers tiers = new Tiers(
                local,
                remote == null || unguarded ? remote : guarded(remote),
                backup == null ? null : guard(backup, settings.backupStorage().timeout()),
                backup instanceof ScannableTier scan ? scan : null);
        // Of its own: a beat that waits for something else makes copies untrusted.
        ScheduledExecutorService pulse = backplanes.isEmpty() ? timer : timer("terrace-pulse");
        Tier watched = tiers.remote();
        List<KeyWatch> watches = local == null || watched == null ? List.of() : openWatches();
        Engine engine = engine(tiers, timer, pulse, System::nanoTime);
        if (watched != null) {
            ExternalWriters writers = new ExternalWriters(engine.copies(), watched, clock, metrics);
            watches.forEach(watch -> watch.start(writers));
        }
        return new CacheCoordinator(engine, watches, metrics, timer, pulse);
    }

    private static ScheduledExecutorService timer(String name) {
        return Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Everything but threads, and begins to listen.
     *
     * @param nanos a clock that moves only on, while the process runs
     */
    Engine engine(Tiers tiers, ScheduledExecutorService timer, ScheduledExecutorService pulse, LongSupplier nanos) {
        List<Backplane> channels = new ArrayList<>(backplanes);
        channels.sort(Comparator.comparing(channel -> !isLog(channel)));
        int logs = (int) channels.stream().filter(Wiring::isLog).count();
        Promise tightest = promises.tightest();
        long leaseNanos = promises.lease().toNanos();
        Coherence coherence = new Coherence(clock.node(), logs, channels.size(), leaseNanos, nanos, wall, mutant);
        Earpiece earpiece = new Earpiece();
        Announcer announcer = new Announcer(
                coherence,
                channels,
                logs,
                clock.node(),
                earpiece,
                pulse,
                settings.backplane().beat() != null
                        ? settings.backplane().beat().toNanos()
                        : beatNanos(Math.min(tightest.boundNanos(), leaseNanos)),
                Math.min(tightest.boundNanos(), leaseNanos),
                metrics,
                mutant);
        Latecomers latecomers = new Latecomers();
        Missed missed = new Missed(
                missedBy(tiers.remote(), timer, latecomers), missedBy(tiers.backup(), timer, (entry, outcome) -> {}));
        Flights flights = new Flights(clock);
        metrics.remove("flights");
        metrics.register("flights", (Gauge<Integer>) flights::size);
        LocalCopies copies = new LocalCopies(tiers.local(), new NearCaches(policies, metrics), flights, mutant);
        Cascade cascade = new Cascade(tiers, clock, missed, metrics);
        Remote remote = tiers.remote() == null ? null : Remote.over(tiers.remote(), clock, modes);
        Writes writes = new Writes(
                tiers,
                remote,
                modes.strongest(),
                copies,
                missed,
                Math.max(1, settings.backupStorage().queueEntries() / 2),
                announcer,
                promises,
                metrics);
        latecomers.writes = writes;
        long tombstoneMillis = settings.limits().tombstoneRetention().toMillis();
        Fills fills = new Fills(tiers, remote, copies, writes, clock, tombstoneMillis);
        Markers markers = new Markers(tiers, writes, flights, clock, announcer);
        cascade.learnTagsBy(markers::learnTags);
        earpiece.hearing =
                new Hearing(tiers, copies, cascade, writes, missed, markers, clock, tombstoneMillis, metrics);
        cascade.doubtBackup();
        Engine engine = new Engine(
                settings,
                policies,
                clock,
                tiers,
                cascade,
                flights,
                copies,
                fills,
                new Loads(flights, fills, timer, settings.loading()),
                writes,
                missed,
                new ConditionalWrites(
                        tiers,
                        remote,
                        cascade,
                        writes,
                        copies,
                        clock,
                        missed.remote(),
                        outerDeadline(settings.distributedCache().timeout())),
                markers,
                coherence,
                announcer,
                promises,
                new Gate());
        announcer.start();
        return engine;
    }

    private static boolean isLog(Backplane channel) {
        return !channel.name().equals("group");
    }

    /** A quarter of the tightest bound, so that a late beat or two do not end the trust. */
    private static long beatNanos(long tightestNanos) {
        return Math.min(LONGEST_BEAT.toNanos(), Math.max(SHORTEST_BEAT.toNanos(), tightestNanos / 4));
    }

    /** Notices come through the announcer, which writes need, and are heeded by what needs writes. */
    private static final class Earpiece implements Heed {
        private @Nullable Hearing hearing;

        private Hearing hearing() {
            return Objects.requireNonNull(hearing, "begins to hear when everything is there");
        }

        @Override
        public void changed(Notice.Changed notice) {
            hearing().changed(notice);
        }

        @Override
        public void marker(Notice.Marker notice) {
            hearing().marker(notice);
        }

        @Override
        public void external(Notice.External notice) {
            hearing().external(notice);
        }

        @Override
        public CompletionStage<Boolean> gap() {
            return hearing().gap();
        }
    }

    /** What L2 took late is told late. */
    private static final class Latecomers implements BiConsumer<Entry, StoreOutcome> {
        private @Nullable Writes writes;

        @Override
        public void accept(Entry entry, StoreOutcome outcome) {
            if (writes == null) {
                return;
            }
            if (outcome instanceof StoreOutcome.Superseded superseded) {
                writes.overtaken(entry, superseded);
            } else {
                writes.tell(entry);
            }
        }
    }

    private @Nullable MissedWrites missedBy(
            @Nullable Tier tier, ScheduledExecutorService timer, BiConsumer<Entry, StoreOutcome> late) {
        return tier == null ? null : new MissedWrites(tier, clock, timer, late, metrics);
    }

    /** When a call of a tier is given up that should have ended within {@code timeout} by itself. */
    static Duration outerDeadline(Duration timeout) {
        return timeout.multipliedBy(2);
    }

    private Tier guard(Tier tier, Duration timeout) {
        return new GuardedTier(
                new MeteredTier(tier, metrics), settings.circuitBreaker(), outerDeadline(timeout), metrics);
    }
}
