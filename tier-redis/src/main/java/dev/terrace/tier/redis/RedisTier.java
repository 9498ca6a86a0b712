package dev.terrace.tier.redis;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Coordinating;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Peeking;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The remote tier. Thread-safe.
 *
 * <p>Every stage completes within the deadline by a timer of its own, whatever Redisson does. Stages complete on Redisson's
 * network threads or on the timer's: what depends on them must not block. At most {@link #MOST_IN_FLIGHT} calls wait for a
 * server that does not answer; further ones are refused as overloaded.
 */
final class RedisTier implements Tier, Coordinating, Peeking, Probed, Prolonging {
    /** Bounds the memory that a frozen server can pin: a call leaves when Redisson gives it up, soon after its deadline. */
    static final int MOST_IN_FLIGHT = 10_000;

    /** An envelope up to the end of its version. */
    private static final int VERSION_HEAD_BYTES = 2 + Version.BYTES;

    private final DistributedCacheSettings settings;
    private final Connector connector;
    private final InstantSource clock;
    private final RedisKeys keys;
    private final Reclaimer reclaimer;
    private final Canary canary;
    private final RedisFleet fleet;
    private final long timeoutMillis;
    private final ReplicationMode mode;
    private final Deadlines deadlines;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Counter timeouts;
    private final Counter errors;
    private final Counter corrupt;
    private final Counter unknownFormat;
    private final Counter overloaded;
    private volatile @Nullable RedissonCommands commands;

    /** Set with {@link #commands}. */
    private volatile @Nullable ReplicaAcks acks;

    /** Why calls do not get through; empty while they do. An error about one key says nothing about the others. */
    private volatile String outage = "";

    /** Why the server takes no writes though it answers; empty while it does. */
    private volatile String writesRefused = "";

    RedisTier(DistributedCacheSettings settings, Connector connector, InstantSource clock, MetricRegistry metrics) {
        this.settings = settings;
        this.connector = connector;
        this.clock = clock;
        this.keys = new RedisKeys(settings.keyPrefix());
        this.fleet = new RedisFleet(this, keys);
        this.timeoutMillis = settings.timeout().toMillis();
        this.mode = ReplicationMode.valueOf(settings.consistencyLevel().name());
        this.deadlines = new Deadlines("terrace-l2-deadlines", timeoutMillis);
        this.canary = new Canary(keys);
        this.reclaimer = new Reclaimer(this::commands, keys, timeoutMillis);
        this.timeouts = metrics.counter("l2.timeouts");
        this.errors = metrics.counter("l2.errors");
        this.corrupt = metrics.counter("l2.corrupt");
        this.unknownFormat = metrics.counter("l2.unknown_format");
        this.overloaded = metrics.counter("l2.overloaded");
        metrics.remove("l2.inflight");
        metrics.register("l2.inflight", (Gauge<Integer>) inFlight::get);
        metrics.remove("l2.outstanding");
        metrics.register("l2.outstanding", (Gauge<Long>) () -> lanes(Lanes::outstandingCommands));
        metrics.remove("l2.outstanding_bytes");
        metrics.register("l2.outstanding_bytes", (Gauge<Long>) () -> lanes(Lanes::outstandingBytes));
        metrics.remove("l2.batches");
        metrics.register("l2.batches", (Gauge<Long>) () -> traffic(Traffic::batches));
        metrics.remove("l2.batched_commands");
        metrics.register("l2.batched_commands", (Gauge<Long>) () -> traffic(Traffic::commands));
    }

    @Override
    public TierLevel level() {
        return TierLevel.L2;
    }

    private long lanes(ToLongFunction<Lanes> what) {
        Connector.Connection connection = connector.connection();
        return connection == null ? 0 : what.applyAsLong(connection.lanes());
    }

    private long traffic(ToLongFunction<Traffic> what) {
        RedissonCommands current = commands;
        return current == null ? 0 : what.applyAsLong(current.traffic());
    }

    /** The commands on the connection that stands, or null. */
    private @Nullable RedissonCommands commands() {
        RedissonCommands current = commands;
        if (current == null) {
            Connector.Connection connection = connector.connection();
            if (connection == null) {
                return null;
            }
            acks = new ReplicaAcks(
                    connection, timeoutMillis, settings.replication().waitForDisk());
            current = new RedissonCommands(connection);
            commands = current;
        }
        return connector.isClosed() ? null : current;
    }

    /** Runs one call under the deadline; {@code failed} turns a failure into this call's way of saying so. */
    <R, T> CompletionStage<T> call(
            Function<RedissonCommands, CompletionStage<R>> command,
            Function<R, T> answered,
            Function<Lookup.Unavailable, T> failed) {
        RedissonCommands current = commands();
        if (current == null) {
            return CompletableFuture.completedStage(failed.apply(notConnected()));
        }
        if (inFlight.incrementAndGet() > MOST_IN_FLIGHT) {
            inFlight.decrementAndGet();
            overloaded.inc();
            return CompletableFuture.completedStage(failed.apply(
                    unavailable(Unavailability.OVERLOADED, MOST_IN_FLIGHT + " calls wait for Redis already")));
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        CompletionStage<R> sent;
        try {
            sent = command.apply(current);
        } catch (RuntimeException e) {
            sent = CompletableFuture.failedStage(e);
        }
        sent.whenComplete((value, failure) -> {
            inFlight.decrementAndGet();
            if (failure == null) {
                outage = "";
                complete(result, answered, value, failed);
            } else {
                result.complete(failed.apply(explain(failure)));
            }
        });
        return deadlines.watch(result, () -> failed.apply(tooSlow()));
    }

    private <R, T> void complete(
            CompletableFuture<T> result, Function<R, T> answered, R value, Function<Lookup.Unavailable, T> failed) {
        try {
            result.complete(answered.apply(value));
        } catch (RuntimeException e) {
            result.complete(failed.apply(explain(e)));
        }
    }

    private Lookup.Unavailable notConnected() {
        return connector.isClosed()
                ? unavailable(Unavailability.CLOSED, "the remote tier is closed")
                : unavailable(Unavailability.DISCONNECTED, connector.trouble());
    }

    private Lookup.Unavailable tooSlow() {
        return unavailable(Unavailability.TIMEOUT, "no answer within " + timeoutMillis + " ms");
    }

    private Lookup.Unavailable explain(Throwable failure) {
        Unavailability cause = connector.isClosed() ? Unavailability.CLOSED : Failures.cause(failure);
        String detail = Failures.describe(failure);
        if (cause == Unavailability.TIMEOUT) {
            timeouts.inc();
            outage = detail;
        } else if (cause == Unavailability.OVERLOADED) {
            overloaded.inc();
        } else {
            errors.inc();
            if (cause == Unavailability.DISCONNECTED) {
                outage = detail;
            } else if (Failures.refusesWrites(failure)) {
                writesRefused = detail;
            }
        }
        return unavailable(cause, detail);
    }

    private static Lookup.Unavailable unavailable(Unavailability cause, String detail) {
        return new Lookup.Unavailable(TierLevel.L2, cause, detail);
    }

    static StoreOutcome outcomeOf(Lookup.Unavailable no) {
        return new StoreOutcome.Unavailable(no.tier(), no.cause(), no.detail());
    }

    @Override
    public CompletionStage<String> probe() {
        return call(to -> to.sing(canary), trouble -> trouble, Lookup.Unavailable::detail);
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return call(to -> to.get(keys.of(key)), bytes -> lookup(key, bytes), no -> no);
    }

    private Lookup lookup(CacheKey key, byte @Nullable [] bytes) {
        if (bytes == null) {
            return Lookup.MISS;
        }
        Envelope.Decoded decoded = Envelope.decode(bytes, key);
        if (decoded instanceof Envelope.Malformed malformed) {
            (malformed.flaw() == Envelope.Flaw.UNKNOWN_FORMAT ? unknownFormat : corrupt).inc();
            return Lookup.MISS;
        }
        Entry entry = ((Envelope.Sound) decoded).entry();
        if (!entry.key().equals(key)) {
            corrupt.inc();
            return Lookup.MISS;
        }
        return entry.isExpired(clock.millis()) ? Lookup.MISS : new Lookup.Hit(entry);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> asked) {
        if (asked.isEmpty()) {
            return CompletableFuture.completedStage(new HashMap<>());
        }
        Set<CacheKey> distinct = asked instanceof Set<CacheKey> already ? already : new LinkedHashSet<>(asked);
        List<String> names = new ArrayList<>(distinct.size());
        distinct.forEach(key -> names.add(keys.of(key)));
        // Set before anything can look at it: here, before the deadline is set and the callback registered.
        RedissonCommands.@Nullable Values[] sent = new RedissonCommands.Values[1];
        return call(
                to -> {
                    RedissonCommands.Values values = to.getAll(names);
                    sent[0] = values;
                    return values.all();
                },
                done -> lookups(distinct, sent[0], null),
                no -> lookups(distinct, sent[0], no));
    }

    /** What came; for keys without an answer, {@code missing}. A primary that is away costs its own keys only. */
    private Map<CacheKey, Lookup> lookups(
            Collection<CacheKey> asked,
            RedissonCommands.@Nullable Values values,
            Lookup.@Nullable Unavailable missing) {
        Map<CacheKey, Lookup> found = new HashMap<>(asked.size() * 2);
        int index = 0;
        for (CacheKey key : asked) {
            CompletableFuture<byte[]> answer = values == null ? null : values.at(index++);
            found.put(key, answer == null || !answer.isDone() ? orMiss(missing) : lookup(key, answer));
        }
        return found;
    }

    private static Lookup orMiss(Lookup.@Nullable Unavailable missing) {
        return missing == null ? Lookup.MISS : missing;
    }

    private Lookup lookup(CacheKey key, CompletableFuture<byte[]> answer) {
        Throwable failure = failureOf(answer);
        return failure == null ? lookup(key, answer.join()) : explain(failure);
    }

    @Override
    public CompletionStage<Map<CacheKey, Version>> versions(Collection<CacheKey> asked) {
        List<CacheKey> distinct = List.copyOf(Set.copyOf(asked));
        if (distinct.isEmpty()) {
            return CompletableFuture.completedStage(Map.of());
        }
        List<String> names = distinct.stream().map(keys::of).toList();
        // Set before anything can look at it, as in getAll.
        RedissonCommands.@Nullable Values[] sent = new RedissonCommands.Values[1];
        return call(
                to -> {
                    RedissonCommands.Values values = to.heads(names, VERSION_HEAD_BYTES);
                    sent[0] = values;
                    return values.all();
                },
                done -> versions(distinct, sent[0]),
                no -> versions(distinct, sent[0]));
    }

    private static Map<CacheKey, Version> versions(List<CacheKey> asked, RedissonCommands.@Nullable Values values) {
        Map<CacheKey, Version> held = new HashMap<>(asked.size() * 2);
        for (int i = 0; values != null && i < asked.size(); i++) {
            CompletableFuture<byte[]> answer = values.at(i);
            if (answer.isDone() && failureOf(answer) == null) {
                held.put(asked.get(i), versionIn(answer.join()));
            }
        }
        return held;
    }

    private static Version versionIn(byte @Nullable [] head) {
        if (head == null || head.length < VERSION_HEAD_BYTES || head[0] != Envelope.FORMAT) {
            return Version.ZERO;
        }
        ByteBuffer version = ByteBuffer.wrap(head, VERSION_HEAD_BYTES - Version.BYTES, Version.BYTES);
        return new Version(version.getLong(), version.getLong());
    }

    private RedissonCommands.Store storeOf(Entry entry, WriteCondition condition, long now) {
        byte[] how = ScriptWords.codeOf(condition);
        byte[] expected = ScriptWords.expectedBy(condition);
        return new RedissonCommands.Store(
                keys.of(entry.key()), how, Envelope.encode(entry), ScriptWords.ttlOf(entry, now), expected);
    }

    @Override
    public CompletionStage<Prolonged> prolong(Entry entry) {
        byte[] ttl = ScriptWords.ttlOf(entry, clock.millis());
        return ttl[0] == '-' ? CompletableFuture.completedStage(Prolonged.NOT_HELD) : fleet.prolong(entry, ttl);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return put(entry, condition, mode);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode by) {
        long now = clock.millis();
        RedissonCommands.Store store = storeOf(entry, condition, now);
        return call(to -> stored(to, store, now, by), outcome -> outcome, RedisTier::outcomeOf);
    }

    /** Stores, and waits for replicas where that is asked for. */
    private CompletionStage<StoreOutcome> stored(
            RedissonCommands to, RedissonCommands.Store store, long now, ReplicationMode by) {
        ReplicaAcks waiting = acks;
        return waiting == null || by == ReplicationMode.ASYNC
                ? to.withScripts(() -> to.store(store, now)).thenApply(this::outcome)
                : to.withScripts(() -> waiting.store(to, store, now, by)).thenApply(this::outcome);
    }

    private StoreOutcome outcome(ReplicaAcks.Answer answer) {
        StoreOutcome outcome = outcome(answer.script());
        boolean applied = outcome instanceof StoreOutcome.Applied;
        if ((applied || outcome instanceof StoreOutcome.Superseded) && !answer.enough()) {
            return new StoreOutcome.Underacknowledged(TierLevel.L2, answer.acked(), answer.required());
        }
        return applied ? new StoreOutcome.Applied(answer.acked(), answer.required()) : outcome;
    }

    private StoreOutcome outcome(byte @Nullable [] answer) {
        writesRefused = "";
        if (answer != null && answer.length == 1 && answer[0] == 'A') {
            return StoreOutcome.APPLIED;
        }
        if (answer != null && answer.length == 1 && answer[0] == 'N') {
            return new StoreOutcome.Superseded(null);
        }
        if (answer != null && answer.length == 1 + Version.BYTES && answer[0] == 'S') {
            ByteBuffer version = ByteBuffer.wrap(answer, 1, Version.BYTES);
            return new StoreOutcome.Superseded(new Version(version.getLong(), version.getLong()));
        }
        if (answer != null && answer.length == 1 && answer[0] == 'F') {
            unknownFormat.inc();
            return new StoreOutcome.Refused(
                    TierLevel.L2, "Redis holds an entry in the format of a later version, which is left alone");
        }
        errors.inc();
        return new StoreOutcome.Unavailable(
                TierLevel.L2, Unavailability.ERROR, "unexpected answer of the store script");
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return putAll(entries, mode);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode by) {
        if (entries.isEmpty()) {
            return CompletableFuture.completedStage(List.of());
        }
        commands();
        ReplicaAcks waiting = acks;
        if (by != ReplicationMode.ASYNC && waiting != null && waiting.mayWait()) {
            return putEach(entries, by);
        }
        long now = clock.millis();
        List<RedissonCommands.Store> stores = new ArrayList<>(entries.size());
        entries.forEach(entry -> stores.add(storeOf(entry, WriteCondition.IF_NEWER, now)));
        return call(
                to -> to.withScripts(() -> storeAll(to, stores, now)),
                outcomes -> outcomes,
                no -> List.copyOf(Collections.nCopies(entries.size(), outcomeOf(no))));
    }

    /** Each is waited for by itself, one after the other where they are of one key. */
    private CompletionStage<List<StoreOutcome>> putEach(List<Entry> entries, ReplicationMode by) {
        Map<CacheKey, CompletableFuture<StoreOutcome>> last = new HashMap<>();
        List<CompletableFuture<StoreOutcome>> outcomes = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            CompletableFuture<StoreOutcome> before = last.get(entry.key());
            CompletionStage<StoreOutcome> mine = before == null
                    ? put(entry, WriteCondition.IF_NEWER, by)
                    : before.thenCompose(done -> put(entry, WriteCondition.IF_NEWER, by));
            last.put(entry.key(), mine.toCompletableFuture());
            outcomes.add(mine.toCompletableFuture());
        }
        return CompletableFuture.allOf(outcomes.toArray(CompletableFuture[]::new))
                .thenApply(
                        done -> outcomes.stream().map(CompletableFuture::join).toList());
    }

    /** Fails as a whole only when the scripts are missing; otherwise each store has an outcome of its own. */
    private CompletionStage<List<StoreOutcome>> storeAll(
            RedissonCommands to, List<RedissonCommands.Store> stores, long now) {
        List<CompletableFuture<byte[]>> results = to.storeAll(stores, now);
        return settled(results).thenApply(done -> {
            for (CompletableFuture<byte[]> result : results) {
                Throwable failure = failureOf(result);
                if (failure != null && Failures.isScriptMissing(failure)) {
                    throw new CompletionException(Failures.root(failure));
                }
            }
            return outcomes(results);
        });
    }

    private List<StoreOutcome> outcomes(List<CompletableFuture<byte[]>> results) {
        List<StoreOutcome> outcomes = new ArrayList<>(results.size());
        for (CompletableFuture<byte[]> result : results) {
            Throwable failure = failureOf(result);
            outcomes.add(failure == null ? outcome(result.join()) : outcomeOf(explain(failure)));
        }
        return outcomes;
    }

    /** Completes normally when all have completed, however they did. */
    private static CompletionStage<Void> settled(List<CompletableFuture<byte[]>> futures) {
        return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                .handle((done, failure) -> null);
    }

    private static @Nullable Throwable failureOf(CompletableFuture<byte[]> settled) {
        return settled.isCompletedExceptionally()
                ? settled.handle((value, failure) -> failure).join()
                : null;
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        reclaimer.submit(cache, upTo);
        return CompletableFuture.completedStage(null);
    }

    @Override
    public LeaseStore leases() {
        return fleet;
    }

    @Override
    public RateStore rates() {
        return fleet;
    }

    @Override
    public TierStatus status() {
        boolean connected = connector.connection() != null;
        String detail = connected ? outage.isEmpty() ? writesRefused : outage : connector.trouble();
        TierStatus.State state = TierStatus.State.READY;
        if (connector.isClosed()) {
            state = TierStatus.State.CLOSED;
        } else if (!connected || !outage.isEmpty()) {
            state = TierStatus.State.CONNECTING;
        } else if (!writesRefused.isEmpty()) {
            state = TierStatus.State.READ_ONLY;
        }
        ReplicaAcks waiting = acks;
        if (detail.isEmpty() && waiting != null) {
            detail = waiting.trouble();
        }
        return new TierStatus(TierLevel.L2, state, "Redis " + settings.clusterNodes(), detail, -1, -1);
    }

    @Override
    public void close() {
        reclaimer.close();
        connector.close();
        deadlines.close();
    }
}
