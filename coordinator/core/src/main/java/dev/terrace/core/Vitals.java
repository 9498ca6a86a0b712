package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.health.HealthCheck;
import com.codahale.metrics.health.HealthCheckRegistry;
import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.failover.GuardedTier;
import dev.terrace.failover.GuardedZone;
import dev.terrace.failover.HealthProbe;
import dev.terrace.failover.HealthSignals;
import dev.terrace.failover.Signal;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tries what a node depends on, and tells the ladder what became of it: breakers, health checks, what tiers say of
 * themselves, how far behind they are. The checks are also in a Dropwizard registry. Thread-safe.
 */
final class Vitals implements AutoCloseable {
    /** Space without which a tier that writes logs will soon be unable to. */
    private static final long LEAST_DISK_BYTES = 64L << 20;

    /** For what changes slowly, and where a try takes room from others. */
    private static final Duration DISK_INTERVAL = Duration.ofSeconds(5);

    private static final Duration SLOW_DEADLINE = Duration.ofSeconds(2);
    private static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(HealthProbe.FIRST_MILLIS);
    private static final long CONNECTING_GRACE_MILLIS = 1_000;
    private static final long HEARD_LATELY_MILLIS = 3_000;

    private final Settings settings;
    private final MetricRegistry metrics;
    private HealthCheckRegistry checks = new HealthCheckRegistry();
    private final LongSupplier millis;
    private final boolean majorityNeeded;
    private final Map<String, HealthProbe> zones = new ConcurrentHashMap<>();
    private final Map<String, WatchedZone> zonesToTry = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1, daemon("terrace-health"));
    private final ThreadPoolExecutor blocking = new ThreadPoolExecutor(
            2, 2, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(8), daemon("terrace-health-blocking"));
    private final Map<String, Long> notReadySince = new HashMap<>();
    private final Set<String> onceReady = new HashSet<>();
    private @Nullable Watched watched;
    private volatile @Nullable ReplicatedStore zonesStore;
    private volatile @Nullable GuardedTier remoteGuard;
    private volatile @Nullable HealthProbe remoteProbe;
    private volatile @Nullable HealthProbe localProbe;
    private volatile @Nullable HealthProbe backupProbe;
    private volatile @Nullable HealthProbe disk;
    private volatile @Nullable HealthProbe origin;
    private boolean started;
    private long brokenSince = Long.MAX_VALUE;

    /** A zone and what stands around it. */
    private record WatchedZone(GuardedZone guard, Replica zone) {}

    /**
     * What is watched beside probes.
     *
     * @param brokenOrigins why no origin can be asked, by what became of calls; empty when some can
     */
    record Watched(
            Tiers tiers,
            Missed missed,
            Coherence coherence,
            Announcer announcer,
            FillLevels levels,
            Supplier<String> brokenOrigins) {}

    Vitals(Settings settings, Policies policies, MetricRegistry metrics) {
        this.settings = settings;
        this.metrics = metrics;
        this.millis = () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        this.majorityNeeded =
                policies.all().stream().allMatch(policy -> policy.replication() != ConsistencyLevel.ASYNC);
        blocking.allowCoreThreadTimeOut(true);
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    /** The clock of all judgements. */
    LongSupplier millis() {
        return millis;
    }

    synchronized HealthCheckRegistry checks() {
        return checks;
    }

    /** Where the checks go that are made from now on; a registry of its own otherwise. */
    synchronized void registerWith(HealthCheckRegistry registry) {
        checks = registry;
    }

    /** A zone was opened, behind {@code guard}; it is tried from {@link #start} on. */
    synchronized void zone(GuardedZone guard, Replica zone) {
        WatchedZone watchedZone = new WatchedZone(guard, zone);
        zonesToTry.put(zone.zone(), watchedZone);
        if (started) {
            tryZone(watchedZone);
        }
    }

    private void tryZone(WatchedZone one) {
        Replica zone = one.zone();
        Probed probed = zone instanceof Probed self ? self : () -> toldBy(zone.get(canary()));
        long lately = settings.failover().probeInterval().toNanos();
        // A try stores something, so only a store shows that it failed for a reason of its own.
        zones.put(
                zone.zone(),
                probe(
                        "zone." + zone.zone(),
                        () -> one.guard().probe(probed),
                        remoteTiming(),
                        () -> one.guard().hasStoredWithin(lately)));
    }

    /** What calls say goes before what a try says, which may look at something else. */
    private Map<String, Signal> byZone(long now) {
        Map<String, Signal> byZone = new HashMap<>();
        zones.forEach((name, probe) -> {
            WatchedZone zone = zonesToTry.get(name);
            Signal byCalls = zone == null ? Signal.up(now) : zone.guard().signal(now);
            byZone.put(name, byCalls.state() == Signal.State.UP ? probe.signal() : byCalls);
        });
        return byZone;
    }

    /** L2 turned out to be several zones, of which {@code store} makes one. */
    void zones(ReplicatedStore store) {
        zonesStore = store;
    }

    /** L2 turned out to be one deployment, behind {@code guard}; {@code tier} is what it guards. */
    synchronized void remote(GuardedTier guard, Tier tier) {
        remoteGuard = guard;
        remoteProbe = probe(
                "l2",
                question(guard, tier),
                remoteTiming(),
                () -> guard.hasWorkedWithin(settings.failover().probeInterval().toNanos()));
    }

    private HealthProbe.Timing remoteTiming() {
        return new HealthProbe.Timing(
                settings.failover().probeInterval(),
                Patience.outer(settings.distributedCache().timeout()));
    }

    /** What cannot try itself is read, but only to find out whether a breaker may close again. */
    private static Supplier<CompletionStage<String>> question(GuardedTier guard, Tier tier) {
        if (tier instanceof Probed probed) {
            return () -> guard.probe(probed);
        }
        return () -> guard.signal(0).state() == Signal.State.UP
                ? CompletableFuture.completedStage("")
                : guard.probe(() -> toldBy(tier.get(canary())));
    }

    private static CacheKey canary() {
        return CacheKey.of(Markers.RESERVED_PREFIX + "health", "canary");
    }

    private static CompletionStage<String> toldBy(CompletionStage<Lookup> lookup) {
        return lookup.thenApply(said -> said instanceof Lookup.Unavailable no ? no.cause() + " " + no.detail() : "");
    }

    /**
     * Begins to try.
     *
     * @param backup what L3's guard guards; null without an L3
     * @param originCheck the user's way to try the origin; null without one
     */
    synchronized void start(Watched parts, @Nullable Tier backup, @Nullable HealthCheck originCheck) {
        watched = parts;
        started = true;
        zonesToTry.values().forEach(this::tryZone);
        if (parts.tiers().local() instanceof Probed local) {
            localProbe = probe("l1", local::probe, new HealthProbe.Timing(DISK_INTERVAL, SLOW_DEADLINE), () -> false);
        }
        if (backup != null && parts.tiers().backup() instanceof GuardedTier guard) {
            HealthProbe.Timing timing = new HealthProbe.Timing(
                    settings.failover().probeInterval().multipliedBy(2),
                    Patience.outer(settings.backupStorage().timeout()));
            backupProbe = probe("l3", question(guard, backup), timing, () -> false);
        }
        if (settings.backupStorage().enabled()) {
            Path folder = settings.backupStorage().path();
            disk = probe(
                    "disk",
                    onOwnThread(() -> spaceLeft(folder)),
                    new HealthProbe.Timing(DISK_INTERVAL, SLOW_DEADLINE),
                    () -> false);
        }
        if (originCheck != null) {
            origin = probe(
                    "origin",
                    onOwnThread(() -> {
                        HealthCheck.Result result = originCheck.execute();
                        return result.isHealthy() ? "" : String.valueOf(result.getMessage());
                    }),
                    new HealthProbe.Timing(settings.failover().probeInterval().multipliedBy(2), SLOW_DEADLINE),
                    () -> false);
        }
    }

    private synchronized HealthProbe probe(
            String name,
            Supplier<CompletionStage<String>> question,
            HealthProbe.Timing timing,
            BooleanSupplier refuted) {
        HealthProbe probe = new HealthProbe(name, question, timing, refuted, timer, millis, metrics);
        checks.unregister("terrace." + name);
        checks.register("terrace." + name, probe);
        return probe.start();
    }

    /** What blocks has a thread; while it has not come back from it, it is not asked again. */
    private Supplier<CompletionStage<String>> onOwnThread(Supplier<String> question) {
        AtomicBoolean asking = new AtomicBoolean();
        return () -> {
            if (!asking.compareAndSet(false, true)) {
                return CompletableFuture.completedStage("the check before has not come back yet");
            }
            try {
                return CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return question.get();
                            } finally {
                                asking.set(false);
                            }
                        },
                        blocking);
            } catch (RuntimeException | Error e) {
                // No thread to be had: it was not asked, and may be next time.
                asking.set(false);
                throw e;
            }
        };
    }

    private static String spaceLeft(Path folder) {
        try {
            long left = Files.getFileStore(folder).getUsableSpace();
            return left >= LEAST_DISK_BYTES ? "" : (left >> 20) + " MiB left at " + folder + ", free some space there";
        } catch (IOException e) {
            return "cannot look at " + folder + ": " + e;
        }
    }

    /** All that is known now. */
    synchronized HealthSignals read(long nowMillis) {
        Watched parts = watched;
        if (parts == null) {
            return HealthSignals.NOTHING;
        }
        Map<String, Signal> byZone = byZone(nowMillis);
        ReplicatedStore store = zonesStore;
        MissedWrites missed = parts.missed().remote();
        Signal backplane = backplane(parts, nowMillis);
        return new HealthSignals(
                local(parts.tiers().local(), nowMillis),
                remote(parts.tiers().remote(), byZone, nowMillis),
                byZone,
                backup(parts.tiers().backup(), nowMillis),
                disk(parts.tiers().backup(), nowMillis),
                origin(parts, nowMillis),
                backplane,
                FillLevels.hints(missed, store == null ? Map.of() : store.hintRoom(), nowMillis),
                parts.levels().journal(nowMillis),
                missed == null || missed.size() == 0,
                backplane.state() != Signal.State.DOWN);
    }

    private Signal remote(@Nullable Tier tier, Map<String, Signal> byZone, long now) {
        if (tier == null) {
            return Signal.ABSENT;
        }
        GuardedTier guard = remoteGuard;
        HealthProbe probe = remoteProbe;
        if (guard != null && probe != null) {
            Signal byCalls = guard.signal(now);
            // What was neither reached by a try nor by a call is not up.
            boolean told = probe.signal().state() != Signal.State.UNKNOWN || !guard.hasWorkedWithin(FIRST_NANOS);
            return byCalls.state() == Signal.State.UP && told ? probe.signal() : byCalls;
        }
        return byZone.isEmpty() ? byStatus(tier, now) : ofZones(tier, byZone, now);
    }

    /** Away when so few zones are left that no key could be served by what its class asks for. */
    private Signal ofZones(Tier tier, Map<String, Signal> byZone, long now) {
        int copies = settings.distributedCache().replicationFactor();
        int needed = majorityNeeded ? copies / 2 + 1 : 1;
        long up = 0;
        long unknown = 0;
        StringBuilder down = new StringBuilder();
        for (Map.Entry<String, Signal> zone : byZone.entrySet()) {
            switch (zone.getValue().state()) {
                case UP, SLOW, ABSENT -> up++;
                case UNKNOWN -> unknown++;
                case DOWN ->
                    down.append(down.length() == 0 ? "" : ", ")
                            .append(zone.getKey())
                            .append(' ')
                            .append(zone.getValue().cause());
            }
        }
        if (up >= needed) {
            return majorityNeeded ? byStatus(tier, now) : Signal.up(now);
        }
        return up + unknown >= needed
                ? Signal.unknown("zones are being tried", now)
                : Signal.down(up + " zones left of " + byZone.size() + ": " + down, now);
    }

    /** What a tier says of itself, with some patience at the start. */
    private Signal byStatus(@Nullable Tier tier, long now) {
        if (tier == null) {
            return Signal.ABSENT;
        }
        TierStatus status = tier.status();
        String name = status.level().name();
        if (status.state() == TierStatus.State.READY || status.state() == TierStatus.State.READ_ONLY) {
            notReadySince.remove(name);
            onceReady.add(name);
            return Signal.up(now);
        }
        long since = notReadySince.computeIfAbsent(name, first -> now);
        // A process that has just started is slow, and asking what is not connected costs nothing.
        long grace = onceReady.contains(name) ? CONNECTING_GRACE_MILLIS : HealthProbe.FIRST_MILLIS;
        return now - since < grace ? Signal.unknown(status.detail(), since) : Signal.down(status.detail(), since);
    }

    private Signal backup(@Nullable Tier tier, long now) {
        if (tier == null) {
            return Signal.ABSENT;
        }
        Signal byCalls = tier instanceof GuardedTier guard ? guard.signal(now) : Signal.up(now);
        return byCalls.state() == Signal.State.UP ? byStatus(tier, now) : byCalls;
    }

    /** Whether L3 can be written; reads may go on when it cannot. */
    private Signal disk(@Nullable Tier backup, long now) {
        HealthProbe written = backupProbe;
        if (written != null && written.signal().state() == Signal.State.DOWN) {
            return written.signal();
        }
        if (backup != null && backup.status().state() == TierStatus.State.READ_ONLY) {
            return Signal.down(backup.status().detail(), now);
        }
        HealthProbe space = disk;
        return space == null ? Signal.ABSENT : space.signal();
    }

    private static Signal backplane(Watched parts, long now) {
        if (parts.announcer().isSilent()) {
            return Signal.ABSENT;
        }
        long ago = parts.coherence().stalenessMillis();
        return ago <= HEARD_LATELY_MILLIS
                ? Signal.up(now)
                : Signal.down(
                        ago == Long.MAX_VALUE ? "never heard everything" : "heard everything " + ago + " ms ago", now);
    }

    private Signal local(@Nullable Tier tier, long now) {
        Signal own = byStatus(tier, now);
        HealthProbe written = localProbe;
        return own.state() == Signal.State.UP
                        && written != null
                        && written.signal().state() == Signal.State.DOWN
                ? written.signal()
                : own;
    }

    /** What calls say goes before what a check says, which may look at something else; but an open breaker lets calls through again. */
    private Signal origin(Watched parts, long now) {
        HealthProbe check = origin;
        String broken = parts.brokenOrigins().get();
        if (broken.isEmpty()) {
            brokenSince = Long.MAX_VALUE;
            return check == null ? Signal.ABSENT : check.signal();
        }
        brokenSince = Math.min(brokenSince, now);
        return Signal.down(broken, brokenSince);
    }

    @Override
    public synchronized void close() {
        timer.shutdownNow();
        blocking.shutdownNow();
        zones.keySet().forEach(name -> checks.unregister("terrace.zone." + name));
        for (String name : new String[] {"l1", "l2", "l3", "disk", "origin"}) {
            checks.unregister("terrace." + name);
        }
    }
}
