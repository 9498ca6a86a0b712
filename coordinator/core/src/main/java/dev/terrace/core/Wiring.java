package dev.terrace.core;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.health.HealthCheck;
import com.codahale.metrics.health.HealthCheckRegistry;
import dev.terrace.api.LadderListener;
import dev.terrace.api.SetupException;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.failover.LadderKeeper;
import dev.terrace.failover.LadderRules;
import dev.terrace.failover.OriginLimits;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.KeyWatch;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Persisted;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.SteadyClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteJournal;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Puts a coordinator together. */
final class Wiring {
    private static final Duration LONGEST_BEAT = Duration.ofSeconds(1);
    private static final Duration SHORTEST_BEAT = Duration.ofMillis(5);

    private final Settings settings;
    private final InstantSource wall;
    private final MetricRegistry metrics;
    private final HybridClock clock;
    private final List<Backplane> backplanes;
    private final Policies policies;
    private final PolicyModes modes;
    private final Promises promises;
    private final Mutant mutant;
    private final Surroundings surroundings;
    private final RemoteLayout layout;
    private final Guards guards;
    private final OriginWiring origins;
    private final FleetServices fleet = new FleetServices();
    private final Vitals vitals;
    private final RemoteUse remoteUse = new RemoteUse();
    private LeaseMutant leaseMutant = LeaseMutant.NONE;
    private @Nullable HealthCheck originCheck;
    private List<LadderListener> listeners = List.of();
    private Map<String, ConflictResolver> resolvers = Map.of();
    private @Nullable LoaderLane foreground;
    private @Nullable LoaderLane background;
    private LoadMutant loadMutant = LoadMutant.NONE;

    /**
     * @param backplanes those to use whatever the settings say; where there are none, those that the settings ask for
     * @param promises what caches promise whatever the settings say; null for what those say
     */
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
        this.surroundings = new Surroundings(settings, this.wall, metrics);
        this.layout = new RemoteLayout(surroundings);
        this.vitals = new Vitals(settings, policies, metrics);
        this.guards = new Guards(settings, metrics, vitals);
        this.origins = new OriginWiring(surroundings, policies, modes, clock);
    }

    /** Whose threads loaders run on; those of the process otherwise. */
    void loadBy(LoaderLane newForeground, LoaderLane newBackground, LoadMutant newMutant) {
        foreground = newForeground;
        background = newBackground;
        loadMutant = newMutant;
    }

    /** Where leases and rates of the fleet lie, for simulations. */
    void fleet(Tier from, LeaseMutant newMutant) {
        fleet.use(Map.of("", from));
        leaseMutant = newMutant;
    }

    /** What merges concurrent values, by cache name. */
    void resolvers(Map<String, ConflictResolver> byCache) {
        resolvers = Map.copyOf(byCache);
    }

    /** Where writes wait for the origin; null for what the settings say. */
    void journal(@Nullable WriteJournal given) {
        origins.journal(given);
    }

    /** What the ladder is told by and tells. */
    void ladder(HealthCheckRegistry checks, @Nullable HealthCheck origin, List<LadderListener> toTell) {
        vitals.registerWith(checks);
        originCheck = origin;
        listeners = List.copyOf(toTell);
    }

    /** Opens the tiers that are enabled, or none of them when one fails. */
    CacheCoordinator withDiscoveredTiers() {
        Opened opened = new Opened();
        opened.and(vitals);
        try {
            ScheduledExecutorService timer = timer("terrace-timer", opened);
            LocalTier local = settings.localCache().enabled() ? openLocal(opened) : null;
            Tier backup = settings.backupStorage().enabled() ? opened.and(openBackup()) : null;
            if (backplanes.isEmpty()) {
                backplanes.addAll(new BackplaneOpening(settings.backplane(), layout).open());
            }
            backplanes.forEach(opened::and);
            Tier remote = null;
            if (settings.distributedCache().enabled()) {
                remote = opened.and(new RemoteOpening(layout, surroundings, clock, modes, guards, resolvers, fleet)
                        .open(timer, backup instanceof HintStore hints ? hints : null));
            }
            return withTiers(local, remote, backup, timer, opened);
        } catch (RuntimeException e) {
            opened.closeBecause(e);
            throw e;
        }
    }

    private LocalTier openLocal(Opened opened) {
        Tier tier = opened.and(
                Providers.tier("offheap", "terrace-tier-local", "local_cache").open(surroundings));
        if (tier instanceof LocalTier local) {
            return local;
        }
        throw new SetupException("the provider 'offheap' gave a tier that is not local", "");
    }

    private Tier openBackup() {
        return Providers.tier("rocksdb", "terrace-tier-backup", "backup_storage")
                .open(surroundings);
    }

    /** Over these tiers, which stay open when it fails: they belong to whoever gave them. */
    CacheCoordinator withTiers(@Nullable LocalTier local, @Nullable Tier remote, @Nullable Tier backup) {
        Tier store = remote instanceof ReplicatedStore zones ? guards.zones(zones) : remote;
        if (remote != null) {
            fleet.use(Map.of("", remote));
        }
        Opened opened = new Opened();
        opened.and(vitals);
        try {
            return withTiers(local, store, backup, timer("terrace-timer", opened), opened);
        } catch (RuntimeException e) {
            opened.closeBecause(e);
            throw e;
        }
    }

    private CacheCoordinator withTiers(
            @Nullable LocalTier local,
            @Nullable Tier remote,
            @Nullable Tier backup,
            ScheduledExecutorService timer,
            Opened opened) {
        // Zones keep their own deadlines, and a breaker around all of them would let one that is bad stop the others.
        boolean unguarded = remote instanceof ReplicatedStore || remote instanceof UndecidedRemote.Facade;
        Tiers tiers = new Tiers(
                local,
                remote == null || unguarded ? remote : guards.remote(remote),
                backup == null ? null : guards.backup(backup),
                backup instanceof ScannableTier scan ? scan : null);
        // Of its own: a beat that waits for something else makes copies untrusted.
        ScheduledExecutorService pulse = backplanes.isEmpty() ? timer : timer("terrace-pulse", opened);
        Tier watched = tiers.remote();
        List<KeyWatch> watches =
                local == null || watched == null ? List.of() : new WatchOpening(settings.backplane(), layout).open();
        watches.forEach(opened::and);
        if (!watches.isEmpty()
                && local instanceof Persisted persisted
                && persisted.inherited().entries() > 0) {
            // Nobody has written down what other programs changed meanwhile.
            local.dropAll();
        }
        origins.open(opened);
        Engine engine = engine(tiers, timer, pulse, System::nanoTime);
        if (watched != null) {
            ExternalWriters writers = new ExternalWriters(engine.copies(), watched, clock, metrics);
            watches.forEach(watch -> watch.start(writers));
        }
        return new CacheCoordinator(engine, watches, metrics, timer, pulse, opened.and(degrading(engine, backup)));
    }

    /** Starts the health checks and the ladder. */
    private Degrading degrading(Engine engine, @Nullable Tier backup) {
        MissedWrites missed = engine.missed().remote();
        if (missed != null) {
            missed.tryWhile(remoteUse::isWritten);
        }
        Enforcement enforcement =
                new Enforcement(remoteUse, missed, settings.failover().directRequestTimeout());
        FillLevels levels = new FillLevels(settings.journal(), engine.origin().behind());
        vitals.start(
                new Vitals.Watched(
                        engine.tiers(),
                        engine.missed(),
                        engine.coherence(),
                        engine.announcer(),
                        levels,
                        engine.guard()::broken),
                backup,
                originCheck);
        LadderKeeper keeper = new LadderKeeper(
                LadderRules.of(settings.failover()),
                vitals::read,
                vitals.millis(),
                wall,
                metrics,
                enforcement,
                listeners);
        return new Degrading(keeper.start(), vitals, enforcement);
    }

    private static ScheduledExecutorService timer(String name, Opened opened) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        // Nearly every deadline is taken back long before its time, and would keep what it was for until then.
        timer.setRemoveOnCancelPolicy(true);
        opened.and(timer::shutdownNow);
        return timer;
    }

    private static OriginLimits.Alarm alarm(ScheduledExecutorService timer) {
        return (nanos, task) -> {
            try {
                timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException closing) {
                // Then every load is told that the coordinator is closed.
            }
        };
    }

    /**
     * Everything but threads, and begins to listen.
     *
     * @param nanos a clock that moves only on, while the process runs
     */
    Engine engine(Tiers tiers, ScheduledExecutorService timer, ScheduledExecutorService pulse, LongSupplier nanos) {
        Tier unswitched = tiers.remote();
        return unswitched == null
                ? engine(tiers, null, timer, pulse, nanos)
                : engine(tiers.withRemote(new SwitchedTier(unswitched, remoteUse)), unswitched, timer, pulse, nanos);
    }

    /** @param unswitched L2, whatever the ladder says of it */
    private Engine engine(
            Tiers tiers,
            @Nullable Tier unswitched,
            ScheduledExecutorService timer,
            ScheduledExecutorService pulse,
            LongSupplier nanos) {
        long leaseNanos = promises.lease().toNanos();
        Coherence coherence = new Coherence(clock.node(), logs(), backplanes.size(), leaseNanos, nanos, wall, mutant);
        Earpiece earpiece = new Earpiece();
        Announcer announcer = announcer(
                coherence, earpiece, pulse, Math.min(promises.tightest().boundNanos(), leaseNanos));
        Latecomers latecomers = new Latecomers();
        Missed missed = new Missed(
                missedBy(unswitched, timer, latecomers), missedBy(tiers.backup(), timer, (entry, outcome) -> {}));
        Flights flights = new Flights(clock, nanos);
        metrics.remove("flights");
        metrics.register("flights", (Gauge<Integer>) flights::size);
        LocalCopies copies = new LocalCopies(tiers.local(), new NearCaches(policies, metrics), flights, mutant);
        TierPatience patience = new TierPatience(settings, tiers.local(), copies, clock, timer, metrics);
        Cascade cascade = new Cascade(tiers, clock, missed, patience, metrics);
        Remote remote =
                unswitched == null ? null : new SwitchedRemote(Remote.over(unswitched, clock, modes), remoteUse, clock);
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
        latecomers.tellThrough(writes);
        long tombstoneMillis = settings.limits().tombstoneRetention().toMillis();
        Fills fills = new Fills(tiers, remote, copies, writes, clock, tombstoneMillis);
        Markers markers = new Markers(tiers, writes, flights, clock, announcer);
        cascade.learnTagsBy(markers::learnTags);
        if (mutant != Mutant.MARKERS_NOT_ASKED) {
            cascade.learnMarkersBy(markers::learnFromRemote);
        }
        earpiece.handTo(new Hearing(tiers, copies, cascade, writes, missed, markers, clock, tombstoneMillis, metrics));
        cascade.doubtBackup();
        ConditionalWrites conditional = new ConditionalWrites(
                tiers,
                remote,
                cascade,
                writes,
                copies,
                clock,
                missed.remote(),
                Patience.outer(settings.distributedCache().timeout()));
        OriginWrites origin = origins.writes(tiers, writes, conditional, cascade, fills, flights, announcer, timer);
        Loads loads = loads(flights, fills, timer);
        OriginGuard guard = new OriginGuard(
                policies,
                settings.origins(),
                new FleetRates(
                        name -> remoteUse.isRead() ? fleet.rates(name) : null,
                        () -> coherence.alive() + 1,
                        nanos,
                        metrics),
                nanos,
                alarm(timer),
                metrics);
        FleetTurns turns = new FleetTurns(
                () -> remoteUse.isRead() ? fleet.leases() : null,
                policies,
                new SecondLook(cascade, remote),
                fills,
                writes::tell,
                timer,
                clock,
                nanos,
                settings.loading().timeout(),
                metrics,
                patience,
                leaseMutant);
        earpiece.alsoTell(turns::heard);
        loads.startThrough(guard::before);
        loads.startThrough(turns::before);
        loads.startThrough(guard::beforeAll);
        Sliding sliding = new Sliding(
                policies,
                copies,
                () -> remoteUse.isRead() ? fleet.prolonging() : null,
                tiers.remote() == null,
                clock,
                timer,
                metrics);
        Map<String, Boolean> slides = new ConcurrentHashMap<>();
        fills.heedSliding(name -> slides.computeIfAbsent(name, fresh -> sliding.longestMillis(fresh) > 0));
        Heat heat = new Heat(settings.warmup().heatKeys());
        HeatKeeper keeper = new HeatKeeper(
                heat, copies.near(), tiers, clock, settings.warmup().heatKeys());
        Engine engine = new Engine(
                settings,
                policies,
                clock,
                tiers,
                cascade,
                flights,
                copies,
                fills,
                loads,
                turns,
                guard,
                sliding,
                writes,
                missed,
                conditional,
                origin,
                markers,
                coherence,
                announcer,
                promises,
                new Warming(heat, keeper, fleet, metrics),
                new Gate());
        inherit(tiers.local(), announcer, coherence, markers);
        announcer.start();
        origin.restore();
        return engine;
    }

    /** What an earlier process left in L1, and what it knew to be invalidated. */
    private void inherit(@Nullable LocalTier local, Announcer announcer, Coherence coherence, Markers markers) {
        Inheriting inheriting = Inheriting.of(local, announcer.channels(), logs(), coherence, clock);
        if (inheriting == null || !(local instanceof Persisted persisted)) {
            return;
        }
        markers.inherit(persisted.inherited().markers());
        markers.keepIn(persisted::keepMarker);
        inheriting.begin();
        announcer.alsoEachBeat(inheriting::keep);
    }

    private Announcer announcer(
            Coherence coherence, Heed earpiece, ScheduledExecutorService pulse, long tightestNanos) {
        List<Backplane> channels = new ArrayList<>(backplanes);
        channels.sort(Comparator.comparing(channel -> !isLog(channel)));
        Duration beat = settings.backplane().beat();
        return new Announcer(
                coherence,
                channels,
                logs(),
                clock.node(),
                earpiece,
                pulse,
                beat != null ? beat.toNanos() : beatNanos(tightestNanos),
                tightestNanos,
                metrics,
                mutant);
    }

    private int logs() {
        return (int) backplanes.stream().filter(Wiring::isLog).count();
    }

    private Loads loads(Flights flights, Fills fills, ScheduledExecutorService timer) {
        LoadingSettings loading = settings.loading();
        int refreshes = loading.backgroundThreads();
        return new Loads(
                flights,
                fills,
                new LoadThrottle(clock, loadMutant),
                timer,
                loading,
                foreground != null ? foreground : LoaderLane.ofThreads("terrace-loader", loading.threads()),
                background != null ? background : LoaderLane.ofThreads("terrace-refresher", refreshes),
                loadMutant);
    }

    private static boolean isLog(Backplane channel) {
        return !channel.name().equals("group");
    }

    /** A quarter of the tightest bound, so that a late beat or two do not end the trust. */
    private static long beatNanos(long tightestNanos) {
        return Math.min(LONGEST_BEAT.toNanos(), Math.max(SHORTEST_BEAT.toNanos(), tightestNanos / 4));
    }

    private @Nullable MissedWrites missedBy(
            @Nullable Tier tier, ScheduledExecutorService timer, BiConsumer<Entry, StoreOutcome> late) {
        return tier == null ? null : new MissedWrites(tier, clock, timer, late, metrics);
    }
}
