package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.health.HealthCheck;
import com.codahale.metrics.health.HealthCheckRegistry;
import dev.terrace.api.AsyncWriter;
import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkWriter;
import dev.terrace.api.Cache;
import dev.terrace.api.Codec;
import dev.terrace.api.KeyCodec;
import dev.terrace.api.LadderListener;
import dev.terrace.api.LadderStatus;
import dev.terrace.api.Rung;
import dev.terrace.api.WriteReceipt;
import dev.terrace.api.Writer;
import dev.terrace.config.CacheFailover;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadedSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.origin.OriginTarget;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackupShipper;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.KeyHolder;
import dev.terrace.spi.KeyWatch;
import dev.terrace.spi.LocalReport;
import dev.terrace.spi.LocalReporter;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.Restoring;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.WriteJournal;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the tiers that the settings name and hands out caches over them. Thread-safe; open one per process and close it.
 *
 * <p>Opening does not wait for Redis: a tier that cannot be reached yet joins later. It fails with {@link
 * dev.terrace.api.SetupException} when the surroundings cannot work as they are.
 */
public final class CacheCoordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CacheCoordinator.class);
    private static final long MARKER_REFRESH_MILLIS = 1_000;

    private final Engine engine;
    private final MetricRegistry metrics;
    private final ScheduledExecutorService timer;
    private final ScheduledExecutorService pulse;
    private final List<KeyWatch> watches;
    private final Degrading degrading;
    private final ConcurrentHashMap<String, CacheState> states = new ConcurrentHashMap<>();
    private boolean closing;

    CacheCoordinator(
            Engine engine,
            List<KeyWatch> watches,
            MetricRegistry metrics,
            ScheduledExecutorService timer,
            ScheduledExecutorService pulse,
            Degrading degrading) {
        this.degrading = degrading;
        this.watches = List.copyOf(watches);
        this.pulse = pulse;
        this.engine = engine;
        this.metrics = metrics;
        this.timer = timer;
        timer.scheduleWithFixedDelay(
                this::refreshMarkers, MARKER_REFRESH_MILLIS, MARKER_REFRESH_MILLIS, TimeUnit.MILLISECONDS);
        long heatMillis = engine.settings().warmup().heatInterval().toMillis();
        timer.scheduleWithFixedDelay(this::noteHeat, heatMillis, heatMillis, TimeUnit.MILLISECONDS);
    }

    /**
     * Reads a settings file and opens what it describes, with the tiers found on the class path.
     *
     * @throws dev.terrace.config.InvalidSettingsException with everything that is wrong in the file
     */
    public static CacheCoordinator open(Path settingsFile) {
        LoadedSettings loaded = SettingsLoader.read(settingsFile, System.getenv());
        loaded.warnings().forEach(warning -> LOG.warn("settings file={} warning={}", settingsFile, warning));
        return open(loaded.settings());
    }

    /** Opens what {@code settings} describe, with the tiers found on the class path. */
    public static CacheCoordinator open(Settings settings) {
        return builder().settings(settings).build();
    }

    /** A builder, for explicit wiring. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The cache of this name. Asking again gives another view of the same cache: same entries, same metrics.
     *
     * @throws BadInputException when the name is empty, longer than 255 bytes, or starts with {@code terrace.}
     * @throws dev.terrace.api.UnavailableException when a tier did not keep its own deadline and never said what was cleared before
     */
    public <K, V> Cache<K, V> cache(String name, KeyCodec<K> keys, Codec<V> values) {
        engine.gate().check();
        CacheState state = state(name);
        return new NamedCache<>(engine, state, coding(state, keys, values));
    }

    /**
     * As {@link #cache(String, KeyCodec, Codec)}, with a writer to the origin: it is called as the cache's write policy says, and through
     * when that says nothing. All views of the cache write so from then on. What waited for the origin when the process ended goes out
     * from here on.
     *
     * @throws BadInputException also when the cache has another writer already
     */
    public <K, V> Cache<K, V> cache(
            String name, KeyCodec<K> keys, Codec<V> values, Writer<? super K, ? super V> writer) {
        return written(name, keys, values, coding -> Targets.of(coding, writer));
    }

    /** As the other, with a writer that holds no thread. */
    public <K, V> Cache<K, V> cache(
            String name, KeyCodec<K> keys, Codec<V> values, AsyncWriter<? super K, ? super V> writer) {
        return written(name, keys, values, coding -> Targets.of(coding, writer));
    }

    /** As the other, with a writer that takes many writes in one call. */
    public <K, V> Cache<K, V> cache(String name, KeyCodec<K> keys, Codec<V> values, BulkWriter<K, V> writer) {
        return written(name, keys, values, coding -> Targets.of(coding, writer));
    }

    private <K, V> Cache<K, V> written(
            String name, KeyCodec<K> keys, Codec<V> values, Function<Coding<K, V>, OriginTarget> target) {
        engine.gate().check();
        CacheState state = state(name);
        Coding<K, V> coding = coding(state, keys, values);
        engine.origin().target(name, target.apply(coding));
        return new NamedCache<>(engine, state, coding);
    }

    private <K, V> Coding<K, V> coding(CacheState state, KeyCodec<K> keys, Codec<V> values) {
        return new Coding<>(
                state, keys, values, engine.policies(), engine.settings().limits());
    }

    private CacheState state(String name) {
        CacheState known = states.get(name);
        if (known != null) {
            return known;
        }
        CacheKey.of(name, "name check");
        if (name.startsWith(Markers.RESERVED_PREFIX)) {
            throw new BadInputException(
                    "cache name '" + name + "' starts with the reserved '" + Markers.RESERVED_PREFIX + "'",
                    "choose another name");
        }
        boolean alone = engine.tiers().remote() == null;
        CacheState fresh = new CacheState(
                name,
                new Trust(engine.coherence(), engine.promises(), name, alone),
                Freshening.of(engine.policies(), name),
                failover(name),
                metrics);
        // Before anything is read: what was cleared before this process started must stay hidden.
        await(engine.markers().learn(List.of(fresh)), "opening", "cache '" + name + "'");
        CacheState raced = states.putIfAbsent(name, fresh);
        if (raced != null) {
            return raced;
        }
        engine.markers().opened(fresh);
        degrading.enforcement().attach(fresh);
        return fresh;
    }

    private CacheFailover failover(String cache) {
        CachePolicy policy = engine.settings().caches().get(cache);
        CacheFailover set = policy == null ? null : policy.failover();
        return set == null ? CacheFailover.DEFAULTS : set;
    }

    /**
     * Drops everything in all caches whose name begins with {@code namespace} and a slash, such as {@code acme/quotes} of the
     * namespace {@code acme}: in constant time, in every tier and on every node.
     *
     * @throws BadInputException when the namespace is empty or holds a slash
     * @throws dev.terrace.api.UnavailableException when a cache of it is strict and not all nodes are sure to have heard of it
     */
    public WriteReceipt clearNamespace(String namespace) {
        if (namespace == null || namespace.isEmpty() || namespace.indexOf('/') >= 0) {
            throw new BadInputException(
                    "'" + namespace + "' is not a namespace",
                    "it is the part of a cache's name before the first slash");
        }
        degrading.enforcement().admitWrite(namespace + "/...");
        return await(
                engine.gate()
                        .pass(() -> engine.markers()
                                .clearNamespace(
                                        namespace,
                                        engine.policies()
                                                .ofCache(namespace + "/")
                                                .durable())),
                "clear",
                "namespace '" + namespace + "'");
    }

    private <T> T await(CompletionStage<T> stage, String what, String on) {
        return Patience.await(stage, engine.longestWait().toNanos(), what, on);
    }

    private void refreshMarkers() {
        try {
            if (!states.isEmpty() && !engine.gate().isClosed()) {
                engine.markers().learn(List.copyOf(states.values())).exceptionally(bug -> {
                    LOG.error("markers could not be read again", bug);
                    return null;
                });
            }
        } catch (RuntimeException e) {
            // The timer would never call again.
            LOG.error("markers could not be read again", e);
        }
    }

    private void noteHeat() {
        try {
            if (!engine.gate().isClosed()) {
                engine.warming().keeper().note();
            }
        } catch (RuntimeException e) {
            // The timer would never call again.
            LOG.error("hot keys could not be noted", e);
        }
    }

    /** Where this node stands on the ladder, why, and what would lift it. */
    public LadderStatus ladder() {
        return degrading.keeper().status();
    }

    /**
     * Goes to a rung and stays there whatever happens, until the time is over or {@link #unpinLadder} is called. Written to
     * the log {@code terrace.audit}. A pin does not outlive the process.
     *
     * @param time one second to seven days
     * @param by who wants it
     * @param why the reason; not blank
     * @throws BadInputException when the time is out of bounds or the reason is missing
     */
    public LadderStatus pinLadder(Rung rung, Duration time, String by, String why) {
        engine.gate().check();
        degrading.keeper().pin(rung, time, by, why);
        return ladder();
    }

    /** Ends a pin. From then on the node climbs as it would by itself. */
    public LadderStatus unpinLadder(String by) {
        engine.gate().check();
        degrading.keeper().unpin(by);
        return ladder();
    }

    /** The checks that the ladder goes by: they tell the last verdict and never wait. */
    public HealthCheckRegistry healthChecks() {
        return degrading.vitals().checks();
    }

    /**
     * Evicts entries of L1 at random, as a want of space would, and everything from near caches: to see what becomes of it. Other tiers keep
     * what they have.
     *
     * @param share each entry's chance to go, above 0 and at most 1
     * @param random decides
     * @return how many went
     * @throws BadInputException when the share is out of bounds, or there is no L1
     */
    public long evictLocal(double share, RandomGenerator random) {
        engine.gate().check();
        if (!(share > 0 && share <= 1)) {
            throw new BadInputException("share " + share + " is not above 0 and at most 1", "give a part of one");
        }
        long evicted = engine.copies().evict(share, random);
        if (evicted < 0) {
            throw new BadInputException("there is no L1 to evict from", "enable local_cache");
        }
        return evicted;
    }

    /** What each tier says of itself, fastest first. */
    public List<TierStatus> tiers() {
        return engine.tiers().status();
    }

    /** What L1 holds and where its memory goes; null where there is none, or it does not say. */
    public @Nullable LocalReport local() {
        return engine.tiers().local() instanceof LocalReporter reporter ? reporter.report() : null;
    }

    /** The keys that are read most of late in L1 and below, as far as a sample of the reads tells; at most {@code warmup.heat_keys}. */
    public List<HotKey> hottest(int most) {
        return engine.warming().heat().hottest(most);
    }

    /** How well this node hears what others write; null without a backplane. */
    public @Nullable CoherenceStatus coherence() {
        return engine.announcer().isSilent() ? null : engine.announcer().status();
    }

    /**
     * How changes by other programs are heard, one for each deployment that is watched; empty unless the settings ask for it. Copies
     * that others replaced are answered until their time is over while one is in trouble, and dropped when it is not any more.
     */
    public List<CoherenceStatus.Channel> externalWriters() {
        return watches.stream()
                .map(watch -> new CoherenceStatus.Channel(watch.name(), watch.trouble()))
                .toList();
    }

    /** What every cache that is open promises, by its name. */
    public Map<String, CacheConsistency> consistencies() {
        Map<String, CacheConsistency> told = new HashMap<>();
        states.forEach((name, state) -> {
            Promise promise = state.trust.tightest();
            boolean always = state.trust.until() == Long.MAX_VALUE;
            told.put(
                    name,
                    new CacheConsistency(
                            promise.kind().name().toLowerCase(Locale.ROOT),
                            promise.isEventual() ? null : Duration.ofNanos(promise.boundNanos()),
                            always || engine.coherence().isTrusted(promise.boundNanos())));
        });
        return told;
    }

    /** What waits for the origin; null where nothing is written behind. */
    public @Nullable Journal journal() {
        WriteBehind behind = engine.origin().behind();
        return behind == null ? null : new Journal(behind, engine.origin(), engine.clock());
    }

    /** The keys of L3; null where L3 has none, or there is no L3. */
    public @Nullable KeyHolder keys() {
        return engine.tiers().scannable() instanceof KeyHolder holder && holder.keys() != null ? holder : null;
    }

    /** The backups of L3; null where it ships nowhere, or there is no L3. */
    public @Nullable BackupShipper backups() {
        return engine.tiers().scannable() instanceof BackupShipper shipper && shipper.backup() != null ? shipper : null;
    }

    /** How far L3 has come back from its repository while this serves; null when nothing is, or was, brought back. */
    public @Nullable RestoreReport restore() {
        return engine.tiers().scannable() instanceof Restoring restoring ? restoring.restore() : null;
    }

    /** What is written behind; null where nothing is. */
    @Nullable
    WriteBehind writeBehind() {
        return engine.origin().behind();
    }

    /** Where all metrics are. */
    public MetricRegistry metrics() {
        return metrics;
    }

    /** The settings in force. */
    public Settings settings() {
        return engine.settings();
    }

    /**
     * Copies entries from L3 into L2 and L1, the hottest first, until a target of the plan is reached, L3 is exhausted, or the calling
     * thread is interrupted. Returns when it is over. Reads and writes go on meanwhile; nothing newer is overwritten, and what was cleared
     * or invalidated stays so.
     *
     * @param progress told about ten times a second and at the end, on the calling thread
     * @throws BadInputException when there is no L3 to read from
     */
    public WarmupReport warmUp(WarmupPlan plan, Consumer<WarmupProgress> progress) {
        return engine.gate()
                .passHere(() -> new Warmup(engine, plan, engine.tiers().scannable(), this::state, progress).run());
    }

    /**
     * Lets running operations end, hands L3 what it has yet to store, and closes the tiers, all within {@code
     * limits.close_timeout}. Loads that take longer are interrupted. Idempotent.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
        }
        Duration closeTimeout = engine.settings().limits().closeTimeout();
        long deadline = System.nanoTime() + closeTimeout.toNanos();
        engine.gate().close();
        // Loads get the first half; the rest is for what they and the writes still have to store.
        waitFor(() -> engine.gate().inside() == 0, deadline - closeTimeout.toNanos() / 2);
        engine.warming().keeper().noteInBackup();
        engine.loads().close();
        waitFor(() -> engine.gate().inside() == 0 && engine.writes().backupWritesUnderWay() == 0, deadline);
        drain(deadline);
        int missed = engine.missed().size();
        if (missed > 0) {
            LOG.error("closed while writes were still to be handed over, they are forgotten writes={}", missed);
        }
        degrading.close();
        watches.forEach(KeyWatch::close);
        engine.announcer().close();
        timer.shutdownNow();
        pulse.shutdownNow();
        for (Tier tier : engine.tiers().present()) {
            try {
                tier.close();
            } catch (RuntimeException e) {
                LOG.error("tier did not close cleanly tier={}", tier.level(), e);
            }
        }
        engine.copies().near().close();
    }

    private void drain(long deadlineNanos) {
        WriteBehind behind = engine.origin().behind();
        if (behind != null) {
            behind.drain();
            waitFor(behind::isDrained, deadlineNanos);
            if (!behind.isEmpty()) {
                LOG.warn(
                        "closed while writes wait for their origin, they stay in the journal writes={}", behind.size());
            }
        }
        engine.origin().close();
    }

    private static void waitFor(BooleanSupplier condition, long deadlineNanos) {
        while (!condition.getAsBoolean() && System.nanoTime() - deadlineNanos < 0) {
            // Only while closing: a counter that others bring to zero has nothing to wait on.
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    /** Explicit wiring; every part has a default. Not thread-safe. */
    public static final class Builder {
        private Settings settings = Settings.defaults();
        private InstantSource clock = InstantSource.system();
        private MetricRegistry metrics = new MetricRegistry();
        private @Nullable LocalTier local;
        private @Nullable Tier remote;
        private @Nullable Tier backup;
        private final List<Backplane> backplanes = new ArrayList<>();
        private final Map<String, ConflictResolver> resolvers = new HashMap<>();
        private @Nullable Promises promises;
        private @Nullable WriteJournal journal;
        private final List<LadderListener> listeners = new ArrayList<>();
        private @Nullable HealthCheck originCheck;
        private HealthCheckRegistry checks = new HealthCheckRegistry();
        private boolean ownTiers;
        private @Nullable Long nodeId;

        private Builder() {}

        /** The settings; {@link Settings#defaults()} otherwise. */
        public Builder settings(Settings newSettings) {
            settings = newSettings;
            return this;
        }

        /** The wall clock; the system's otherwise. */
        public Builder clock(InstantSource newClock) {
            clock = newClock;
            return this;
        }

        /** Where metrics go; a registry of its own otherwise. */
        public Builder metrics(MetricRegistry newMetrics) {
            metrics = newMetrics;
            return this;
        }

        /** This node's id in versions, unique among live nodes; random otherwise. */
        public Builder nodeId(long newNodeId) {
            nodeId = newNodeId;
            return this;
        }

        /**
         * Uses this tier for its level, and no others than those given: the class path is not searched. The coordinator
         * closes it.
         *
         * @throws BadInputException when it is an L1 that cannot answer on the caller's thread
         */
        public Builder tier(Tier tier) {
            ownTiers = true;
            switch (tier.level()) {
                case L1 -> {
                    if (!(tier instanceof LocalTier inProcess)) {
                        throw new BadInputException("an L1 tier must be a LocalTier", "give it another level");
                    }
                    local = inProcess;
                }
                case L2 -> remote = tier;
                case L3 -> backup = tier;
            }
            return this;
        }

        /**
         * Tells other nodes through this channel what is written here, and hears them. A channel named {@code group} is a second
         * path; all others are logs, of which a majority must work. The coordinator closes it.
         */
        public Builder backplane(Backplane channel) {
            backplanes.add(channel);
            return this;
        }

        /**
         * Merges values of {@code cache} that were written into several zones without knowing of each other, where its mode is ASYNC.
         * The newer one wins otherwise. All nodes must use the same.
         */
        public Builder conflictResolver(String cache, ConflictResolver resolver) {
            resolvers.put(cache, resolver);
            return this;
        }

        /**
         * Keeps what is written behind here; the one that the settings describe otherwise. The coordinator closes it.
         */
        public Builder journal(WriteJournal newJournal) {
            journal = newJournal;
            return this;
        }

        /** Tells {@code listener} of every move on the ladder. */
        public Builder ladderListener(LadderListener listener) {
            listeners.add(listener);
            return this;
        }

        /**
         * Tries the system of record with this check, every second, each time within two seconds. Without one only the calls of
         * loaders show how it is.
         */
        public Builder originCheck(HealthCheck check) {
            originCheck = check;
            return this;
        }

        /** Where health checks go; a registry of its own otherwise. */
        public Builder healthChecks(HealthCheckRegistry registry) {
            checks = registry;
            return this;
        }

        /** What caches promise, whatever the settings say. */
        Builder promises(Promises newPromises) {
            promises = newPromises;
            return this;
        }

        /** Opens it. */
        public CacheCoordinator build() {
            long node = nodeId != null ? nodeId : new SecureRandom().nextLong();
            Wiring wiring = new Wiring(settings, clock, metrics, node, backplanes, promises, Mutant.NONE);
            wiring.resolvers(resolvers);
            wiring.journal(journal);
            wiring.ladder(checks, originCheck, listeners);
            return ownTiers ? wiring.withTiers(local, remote, backup) : wiring.withDiscoveredTiers();
        }
    }
}
