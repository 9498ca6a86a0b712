package dev.terrace.core;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.failover.GuardedTier;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierProvider;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ServiceLoader;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** Puts a coordinator together. */
final class Wiring implements TierContext {
    private final Settings settings;
    private final InstantSource wall;
    private final MetricRegistry metrics;
    private final HybridClock clock;

    Wiring(Settings settings, InstantSource wall, MetricRegistry metrics, long node) {
        this.settings = settings;
        this.wall = wall;
        this.metrics = metrics;
        this.clock = new HybridClock(wall, node, settings.limits().maxClockDrift());
    }

    @Override
    public <T> T settings(Class<T> type) {
        for (Object part : new Object[] {
            settings.localCache(), settings.distributedCache(), settings.backupStorage(), settings.limits(), settings
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
            if (settings.distributedCache().enabled()) {
                remote = open(settings.distributedCache().backend(), "terrace-tier-redis", "distributed_cache");
            }
            return withTiers((LocalTier) local, remote, backup);
        } catch (RuntimeException e) {
            closeQuietly(local, e);
            closeQuietly(remote, e);
            closeQuietly(backup, e);
            throw e;
        }
    }

    private static void closeQuietly(@Nullable Tier tier, RuntimeException why) {
        if (tier != null) {
            try {
                tier.close();
            } catch (RuntimeException e) {
                why.addSuppressed(e);
            }
        }
    }

    private Tier open(String provider, String artifact, String section) {
        for (TierProvider candidate : ServiceLoader.load(TierProvider.class)) {
            if (candidate.name().equals(provider)) {
                return candidate.open(this);
            }
        }
        throw new SetupException(
                section + " is enabled, but no provider named '" + provider + "' is on the class path",
                "add dev.terrace:" + artifact + ", or set " + section + ".enabled: false");
    }

    CacheCoordinator withTiers(@Nullable LocalTier local, @Nullable Tier remote, @Nullable Tier backup) {
        Tiers tiers = new Tiers(
                local,
                guard(remote, settings.distributedCache().timeout()),
                guard(backup, settings.backupStorage().timeout()),
                backup instanceof ScannableTier scan ? scan : null);
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "terrace-timer");
            thread.setDaemon(true);
            return thread;
        });
        Missed missed = new Missed(missedBy(tiers.remote(), timer), missedBy(tiers.backup(), timer));
        Flights flights = new Flights(clock);
        metrics.remove("flights");
        metrics.register("flights", (Gauge<Integer>) flights::size);
        LocalCopies copies = new LocalCopies(local, flights);
        Cascade cascade = new Cascade(tiers, clock, missed, metrics);
        Writes writes = new Writes(
                tiers, copies, missed, Math.max(1, settings.backupStorage().queueEntries() / 2), metrics);
        Fills fills = new Fills(
                tiers,
                copies,
                writes,
                clock,
                settings.limits().tombstoneRetention().toMillis());
        Engine engine = new Engine(
                settings,
                new Policies(settings),
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
                        cascade,
                        writes,
                        copies,
                        clock,
                        missed.remote(),
                        outerDeadline(settings.distributedCache().timeout())),
                new Markers(tiers, writes, flights, clock),
                new Gate());
        return new CacheCoordinator(engine, metrics, timer);
    }

    private @Nullable MissedWrites missedBy(@Nullable Tier tier, ScheduledExecutorService timer) {
        return tier == null ? null : new MissedWrites(tier, clock, timer, metrics);
    }

    /** When a call of a tier is given up that should have ended within {@code timeout} by itself. */
    static Duration outerDeadline(Duration timeout) {
        return timeout.multipliedBy(2);
    }

    private @Nullable Tier guard(@Nullable Tier tier, Duration timeout) {
        return tier == null
                ? null
                : new GuardedTier(
                        new MeteredTier(tier, metrics), settings.circuitBreaker(), outerDeadline(timeout), metrics);
    }
}
