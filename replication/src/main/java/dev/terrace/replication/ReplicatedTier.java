package dev.terrace.replication;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The remote tier over several zones. Thread-safe; owns the zones it is given. Stages complete on threads of the zones or of
 * the {@link Timing}: what depends on them must not block.
 *
 * <p>The methods of {@link dev.terrace.spi.Tier} use the default mode; entries given to {@code put} carry their version already,
 * so they are stored as copies are (if newer, by the default mode's number of zones) and are no register operations: use {@link
 * #write} and {@link #change} for those.
 */
public final class ReplicatedTier implements ReplicatedStore {
    private static final int MOST_LAST_WRITTEN = 100_000;
    private static final long MOVING_INTERVAL_MILLIS = 5_000;

    private final ReplicationMode mode;
    private final Function<CacheKey, ReplicationMode> modes;
    private final Placement placement;
    private final Context context;
    private final Hints hints;
    private final Membership membership;
    private final AsyncCopies copies;
    private final Merging merging;
    private final Moving moving;
    private final @Nullable Comparison comparison;

    /**
     * How replication is set up.
     *
     * @param copies zones per key
     * @param mode what the status names
     * @param modes what callers get that do not say, by key
     * @param weights share of the keys by zone name; 1 for those missing
     * @param deadlineMillis how long an operation may take, all rounds together; several times a zone's own deadline
     * @param mostHints hints kept per zone
     * @param hintWindowMillis hints older than that are dropped; shorter than tombstones are kept
     * @param examineMillis between examinations of the zones
     * @param healing how zones that lack something are filled
     * @param transition which zones come and go
     * @param reads how reads of {@link ReplicationMode#ASYNC} choose zones
     * @param resolvers what merges concurrent values, by cache name; for other caches the newer version wins
     */
    public record Setup(
            int copies,
            ReplicationMode mode,
            Function<CacheKey, ReplicationMode> modes,
            Map<String, Double> weights,
            long deadlineMillis,
            int mostHints,
            long hintWindowMillis,
            long examineMillis,
            Healing healing,
            Transition transition,
            Reads reads,
            Map<String, ConflictResolver> resolvers) {
        /** Copies the maps. */
        public Setup {
            weights = Map.copyOf(weights);
            resolvers = Map.copyOf(resolvers);
        }

        /** No zone comes or goes, none is nearest, and slow reads are hedged. */
        public Setup(
                int copies,
                ReplicationMode mode,
                Function<CacheKey, ReplicationMode> modes,
                Map<String, Double> weights,
                long deadlineMillis,
                int mostHints,
                long hintWindowMillis,
                long examineMillis,
                Healing healing) {
            this(
                    copies,
                    mode,
                    modes,
                    weights,
                    deadlineMillis,
                    mostHints,
                    hintWindowMillis,
                    examineMillis,
                    healing,
                    new Transition(Set.of(), Set.of()),
                    new Reads(Set.of(), true, 1),
                    Map.of());
        }

        /** One mode for all keys, without comparing zones in the background. */
        public Setup(
                int copies,
                ReplicationMode mode,
                Map<String, Double> weights,
                long deadlineMillis,
                int mostHints,
                long hintWindowMillis,
                long examineMillis) {
            this(
                    copies,
                    mode,
                    key -> mode,
                    weights,
                    deadlineMillis,
                    mostHints,
                    hintWindowMillis,
                    examineMillis,
                    new Healing(20_000, 0, 2_000, hintWindowMillis, true));
        }

        /** These settings with another healing. */
        public Setup with(Healing other) {
            return with(other, transition, reads, resolvers);
        }

        /** These settings with other zones coming and going. */
        public Setup with(Transition other) {
            return with(healing, other, reads, resolvers);
        }

        /** These settings with another way to read. */
        public Setup with(Reads other) {
            return with(healing, transition, other, resolvers);
        }

        /** These settings with other resolvers, by cache name. */
        public Setup with(Map<String, ConflictResolver> other) {
            return with(healing, transition, reads, other);
        }

        private Setup with(
                Healing newHealing,
                Transition newTransition,
                Reads newReads,
                Map<String, ConflictResolver> newResolvers) {
            return new Setup(
                    copies,
                    mode,
                    modes,
                    weights,
                    deadlineMillis,
                    mostHints,
                    hintWindowMillis,
                    examineMillis,
                    newHealing,
                    newTransition,
                    newReads,
                    newResolvers);
        }
    }

    /**
     * Which zones come and go, by their names. See {@code docs/adr/0008} for the order in which nodes must be told.
     *
     * @param joining hold nothing yet
     * @param leaving will hold nothing any more
     */
    public record Transition(Set<String> joining, Set<String> leaving) {
        /** Copies the sets. */
        public Transition {
            joining = Set.copyOf(joining);
            leaving = Set.copyOf(leaving);
        }
    }

    /**
     * How reads of {@link ReplicationMode#ASYNC} choose zones.
     *
     * @param nearest names of zones that this node asks first
     * @param hedge whether another zone is asked when one takes longer than 95 in 100 of its answers did
     * @param hedgeAtLeastMillis but not before this
     */
    public record Reads(Set<String> nearest, boolean hedge, long hedgeAtLeastMillis) {
        /** Copies the set. */
        public Reads {
            nearest = Set.copyOf(nearest);
        }
    }

    /**
     * How zones that lack something are filled.
     *
     * @param resyncPerSecond entries copied a second into a zone that has forgotten, and hints replayed a second; at most
     * @param compareIntervalMillis between two rounds of comparing the zones, of all nodes together; 0 for never
     * @param comparePerSecond keys looked at a second by the comparison, at most
     * @param tombstoneMillis how long tombstones are kept, at least
     * @param reform whether zones are formed anew, aloud, when so many have forgotten that acknowledged data may be lost; else they
     *     do not vote until an operator has decided
     */
    public record Healing(
            int resyncPerSecond,
            long compareIntervalMillis,
            int comparePerSecond,
            long tombstoneMillis,
            boolean reform) {}

    /**
     * Takes over the zones and begins to examine them.
     *
     * @throws SetupException when zones share a name, or there are fewer than copies
     */
    public ReplicatedTier(
            List<? extends Replica> zones, Setup setup, HybridClock clock, Timing timing, MetricRegistry metrics) {
        this(zones, setup, clock, timing, metrics, null);
    }

    /**
     * As the other, with a place where hints survive a restart.
     *
     * @param hintStore stays the caller's to close, after this; null to keep hints in memory only
     * @throws SetupException when zones share a name, or there are fewer than copies
     */
    public ReplicatedTier(
            List<? extends Replica> zones,
            Setup setup,
            HybridClock clock,
            Timing timing,
            MetricRegistry metrics,
            @Nullable HintStore hintStore) {
        this(zones, setup, clock, timing, metrics, hintStore, Tokens::random, Set.of());
    }

    ReplicatedTier(
            List<? extends Replica> zones,
            Setup setup,
            HybridClock clock,
            Timing timing,
            MetricRegistry metrics,
            java.util.function.Supplier<String> tokens,
            Set<Mutation> mutations) {
        this(zones, setup, clock, timing, metrics, null, tokens, mutations);
    }

    ReplicatedTier(
            List<? extends Replica> zones,
            Setup setup,
            HybridClock clock,
            Timing timing,
            MetricRegistry metrics,
            @Nullable HintStore hintStore,
            java.util.function.Supplier<String> tokens,
            Set<Mutation> mutations) {
        SetupCheck.check(zones, setup);
        this.mode = setup.mode();
        this.modes = setup.modes();
        this.placement = new Placement(
                zones,
                setup.weights(),
                setup.copies(),
                setup.transition().joining(),
                setup.transition().leaving());
        if (placement.isMoving()) {
            placement.undecided();
        }
        List<String> names = zones.stream().map(Replica::zone).toList();
        Meters meters = new Meters(metrics, names);
        this.hints = new Hints(
                zones,
                timing,
                clock,
                meters,
                setup.mostHints(),
                setup.hintWindowMillis(),
                new Pace(timing, setup.healing().resyncPerSecond()),
                hintStore,
                setup.deadlineMillis(),
                this::affirm,
                mutations);
        Answering answering = new Answering(timing, zones);
        AtomicBoolean formed = new AtomicBoolean();
        this.context = new Context(
                placement,
                clock,
                timing,
                setup.deadlineMillis(),
                setup.deadlineMillis() + 2 * setup.hintWindowMillis(),
                hints,
                new LastWritten(MOST_LAST_WRITTEN),
                meters,
                answering,
                formed,
                this::suspect,
                mutations);
        this.copies = new AsyncCopies(context, setup.reads());
        this.merging = new Merging(context, setup.resolvers());
        OpenPromises open = new OpenPromises(context);
        this.membership = new Membership(
                        placement,
                        timing,
                        meters,
                        formed,
                        tokens,
                        setup.examineMillis(),
                        setup.deadlineMillis() + setup.deadlineMillis() / 4 + 10,
                        context.keepMillis(),
                        new Pace(timing, setup.healing().resyncPerSecond()),
                        setup.healing().reform(),
                        zone -> new Turn(context, "fill." + zone, 20 * setup.deadlineMillis()),
                        open,
                        mutations)
                .start();
        hints.start();
        Healing healing = setup.healing();
        this.moving = new Moving(context, this::votes, setup.examineMillis()).start();
        // A change of the zones ends with a comparison.
        long interval = placement.isMoving()
                ? movingInterval(healing.compareIntervalMillis())
                : healing.compareIntervalMillis();
        this.comparison = interval == 0
                ? null
                : new Comparison(
                                context,
                                this::votes,
                                moving,
                                open,
                                interval,
                                healing.comparePerSecond(),
                                healing.tombstoneMillis())
                        .start();
        ReplicationGauges.register(metrics, zones, context, membership, moving);
    }

    private static long movingInterval(long asked) {
        return asked == 0 ? MOVING_INTERVAL_MILLIS : Math.min(MOVING_INTERVAL_MILLIS, asked);
    }

    private boolean votes(Replica zone) {
        return membership.standing(zone.zone()) == Standing.MEMBER;
    }

    /** How far a change of the zones is. */
    Moving.Stage stage() {
        return moving.stage();
    }

    private CompletionStage<Replicated> affirm(CacheKey key) {
        return QuorumChange.affirm(context, key);
    }

    private void suspect(Replica zone) {
        membership.suspect(zone);
    }

    /** The last round of comparing the zones that this node did; null when there was none. */
    Comparison.@Nullable Report compared() {
        return comparison == null ? null : comparison.last();
    }

    @Override
    public TierLevel level() {
        return TierLevel.L2;
    }

    @Override
    public CompletionStage<Lookup> read(CacheKey key, ReplicationMode by) {
        CompletionStage<Lookup> found = by == ReplicationMode.ASYNC
                ? copies.read(key)
                : new QuorumRead(context, key).start().result();
        return merging.appliesTo(key) ? found.thenApply(lookup -> merging.saw(key, lookup)) : found;
    }

    @Override
    public CompletionStage<Replicated> write(CacheKey key, Function<Version, Entry> make, ReplicationMode by) {
        if (by == ReplicationMode.ASYNC && merging.appliesTo(key)) {
            return merging.write(key, make);
        }
        return by == ReplicationMode.ASYNC
                ? copies.write(make.apply(context.clock().next()), ReplicationMode.ASYNC)
                : new QuorumWrite(context, key, make, by == ReplicationMode.SYNC)
                        .start()
                        .result();
    }

    @Override
    public CompletionStage<Replicated> change(CacheKey key, Change change) {
        return new QuorumChange(context, key, change).start().result();
    }

    @Override
    public Map<String, HintRoom> hintRoom() {
        return hints.room();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return read(key, modes.apply(key));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, CompletableFuture<Lookup>> asked = new HashMap<>(2 * keys.size());
        for (CacheKey key : keys) {
            asked.computeIfAbsent(key, same -> get(same).toCompletableFuture());
        }
        return CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                .thenApply(done -> {
                    Map<CacheKey, Lookup> found = new HashMap<>(2 * asked.size());
                    asked.forEach((key, lookup) -> found.put(key, lookup.join()));
                    return found;
                });
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return put(entry, condition, modes.apply(entry.key()));
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode by) {
        if (!(condition instanceof WriteCondition.IfNewer)) {
            return CompletableFuture.completedStage(new StoreOutcome.Refused(
                    TierLevel.L2, "conditional writes over several zones go through change()"));
        }
        if (context.clock().isTooFarAhead(entry.version())) {
            context.meters().tooFarAhead.inc();
            return CompletableFuture.completedStage(new StoreOutcome.Refused(
                    TierLevel.L2,
                    "the version is of " + entry.version().epochMillis()
                            + " ms, further ahead of this node's clock than limits.max_clock_drift allows"));
        }
        return copies.store(entry, by);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return putEach(entries, modes);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode by) {
        return putEach(entries, key -> by);
    }

    private CompletionStage<List<StoreOutcome>> putEach(List<Entry> entries, Function<CacheKey, ReplicationMode> by) {
        List<CompletableFuture<StoreOutcome>> stored = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            stored.add(
                    put(entry, WriteCondition.IF_NEWER, by.apply(entry.key())).toCompletableFuture());
        }
        return CompletableFuture.allOf(stored.toArray(CompletableFuture[]::new))
                .thenApply(done -> stored.stream().map(CompletableFuture::join).toList());
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return CompletableFuture.allOf(placement.all().stream()
                .map(zone -> zone.clear(cache, upTo).toCompletableFuture())
                .toArray(CompletableFuture[]::new));
    }

    @Override
    public TierStatus status() {
        return ZonesStatus.of(context, membership, moving, mode);
    }

    @Override
    public void close() {
        moving.close();
        if (comparison != null) {
            comparison.close();
        }
        membership.close();
        hints.close();
        placement.all().forEach(Replica::close);
    }
}
