package dev.terrace.tier.redis;

import com.codahale.metrics.MetricFilter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Coordinating;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.tier.redis.Scripts.Script;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.redisson.api.RScript.ReturnType;
import org.redisson.client.RedisException;

/**
 * A zone on Redis: a standalone server, a Sentinel deployment or a Redis Cluster, of version 6.2 or later. Thread-safe.
 *
 * <p>What counts towards a majority runs by the digest of a script that only {@link #admit} loads (see {@link FencedScripts});
 * nothing here loads one again by itself. When a fence says no, the record that lies in the zone is read once: if another
 * node admitted a new incarnation, the call goes on with that one, else it is answered {@link Unavailability#FORGETFUL}.
 *
 * <p>What a refusal says: the causes {@link Unavailability#ERROR}, {@link Unavailability#STORAGE}, {@link
 * Unavailability#OVERLOADED} and {@link Unavailability#FORGETFUL}, and {@link StoreOutcome.Refused}, mean that the zone has not
 * done what it was asked and never will. {@link Unavailability#TIMEOUT}, {@link Unavailability#DISCONNECTED} and {@link
 * Unavailability#CLOSED} mean that nobody knows. A request is sent at most once.
 *
 * <p>Promises are kept by the server's clock; a server whose clock leaps ahead, or that evicts keys with a time to live, may forget
 * one early.
 *
 * <p>What else a zone does is that of a {@link RedisTier}, which is inside. Unlike the tier, the zone never replaces an entry by
 * an older one, also when the caller's clock takes the held one for expired.
 *
 * <p><b>Limits.</b> A deployment that can have two primaries at once, because its failover does not stop the old one, can vote
 * with two voices until every client has left the old primary; {@code min-replicas-to-write} or a Redis Cluster's node timeout
 * bound that. In a Redis Cluster, flushing one shard is noticed only when it is the one with the zone's record; the comparison
 * heals the others.
 */
final class RedisZone implements Replica, Coordinating, Probed, Prolonging {
    /** How long ago the zone's name may have been looked at when something is stored past the fence. */
    private static final long NAME_IS_GOOD_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String zone;
    private final InstantSource clock;
    private final RedisTier tier;
    private final RedisKeys keys;
    private final ZoneIdentity identity;
    private final ZoneAdmission admission;
    private final ZoneWalk walk;
    private final ZoneCalls calls;
    private final ZoneCalls longCalls;
    private final ZoneAnswers answers;

    /**
     * Begins to connect, in the background.
     *
     * @param zone the zone's name
     * @param settings where it is and how long calls may take; examinations, admissions and pages may take the time of making
     *     a connection more
     */
    RedisZone(String zone, DistributedCacheSettings settings, InstantSource clock, MetricRegistry registry) {
        MetricRegistry metrics = new MetricRegistry();
        Connector connector = new Connector(settings);
        this.zone = zone;
        this.clock = clock;
        this.tier = new RedisTier(settings, connector, clock, metrics);
        this.keys = new RedisKeys(settings.keyPrefix());
        this.identity = new ZoneIdentity(RedisKeys.encoded(zone), keys.zoneRecord());
        this.admission = new ZoneAdmission(zone, keys, identity);
        this.walk = new ZoneWalk(keys, metrics.counter("foreign"));
        this.calls = new ZoneCalls(zone, connector, settings.timeout().toMillis(), metrics);
        this.longCalls = new ZoneCalls(
                zone,
                connector,
                settings.timeout().plus(settings.connectTimeout()).toMillis(),
                metrics);
        this.answers = new ZoneAnswers(clock, metrics);
        String prefix = "zone." + zone;
        registry.removeMatching(MetricFilter.startsWith(prefix + "."));
        registry.registerAll(prefix, metrics);
    }

    @Override
    public String zone() {
        return zone;
    }

    @Override
    public TierLevel level() {
        return TierLevel.L2;
    }

    /** The digest by which servers know the script that votes, for tests. */
    String digestOfVote() {
        FencedScripts scripts = identity.scripts();
        return scripts == null ? "" : scripts.vote().digest();
    }

    /** Runs one of the fenced scripts on {@code keyNames}, of which the first says where. */
    private <T> CompletionStage<T> fenced(
            Function<FencedScripts, Script> which,
            List<Object> keyNames,
            Object[] arguments,
            Function<byte @Nullable [], T> answered,
            Function<Lookup.Unavailable, T> failed) {
        return calls.call(
                (connection, servers) -> fenced(connection, servers, which, keyNames, arguments), answered, failed);
    }

    private CompletionStage<byte[]> fenced(
            Connector.Connection connection,
            ZoneServers servers,
            Function<FencedScripts, Script> which,
            List<Object> keyNames,
            Object[] arguments) {
        FencedScripts scripts = identity.scripts();
        if (scripts == null) {
            return again(connection, servers, which, keyNames, arguments, null, null);
        }
        return eval(connection, which.apply(scripts), keyNames, arguments)
                .<CompletionStage<byte[]>>handle((answer, failure) -> {
                    if (failure == null) {
                        return CompletableFuture.completedStage(answer);
                    }
                    return ZoneFailures.isFence(failure)
                            ? again(connection, servers, which, keyNames, arguments, scripts, failure)
                            : CompletableFuture.failedStage(Failures.root(failure));
                })
                .thenCompose(outcome -> outcome);
    }

    /** Reads the zone's record, and asks once more if it is not that of {@code tried}. */
    private CompletionStage<byte[]> again(
            Connector.Connection connection,
            ZoneServers servers,
            Function<FencedScripts, Script> which,
            List<Object> keyNames,
            Object[] arguments,
            @Nullable FencedScripts tried,
            @Nullable Throwable failure) {
        return admission.read(connection, servers).thenCompose(reading -> {
            FencedScripts scripts = identity.scripts();
            if (reading == ZoneIdentity.Reading.FOREIGN) {
                throw new RedisException(identity.foreign());
            }
            if (reading == ZoneIdentity.Reading.NONE
                    || scripts == null
                    || tried != null && scripts.incarnation().equals(tried.incarnation())) {
                return CompletableFuture.failedStage(
                        failure == null
                                ? new RedisException("FORGETFUL the zone was not admitted")
                                : Failures.root(failure));
            }
            return eval(connection, which.apply(scripts), keyNames, arguments);
        });
    }

    private static CompletionStage<byte[]> eval(
            Connector.Connection connection, Script script, List<Object> keyNames, Object[] arguments) {
        return connection.lanes().submit(Lanes.evalSha(ReturnType.VALUE, script.digest(), keyNames, arguments));
    }

    private static List<Object> withPromise(String redisKey) {
        return List.of(redisKey, RedisKeys.promiseOf(redisKey));
    }

    @Override
    public CompletionStage<String> probe() {
        return foreignOr(tier::probe, Lookup.Unavailable::detail);
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return foreignOr(() -> tier.get(key), no -> no);
    }

    /** Another system's data is not answered as ours, once it was noticed. */
    private <T> CompletionStage<T> foreignOr(
            Supplier<CompletionStage<T>> ours, Function<Lookup.Unavailable, T> failed) {
        String foreign = identity.foreign();
        return foreign.isEmpty()
                ? ours.get()
                : CompletableFuture.completedStage(failed.apply(ZoneCalls.no(Unavailability.ERROR, foreign)));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> asked) {
        return foreignOr(() -> tier.getAll(asked), no -> {
            Map<CacheKey, Lookup> none = new HashMap<>();
            asked.forEach(key -> none.put(key, no));
            return none;
        });
    }

    @Override
    public CompletionStage<Lookup> vote(CacheKey key) {
        return fenced(
                FencedScripts::vote,
                List.of(keys.of(key)),
                new Object[0],
                bytes -> answers.lookup(key, bytes),
                no -> no);
    }

    @Override
    public CompletionStage<Ballot> query(CacheKey key) {
        return fenced(
                FencedScripts::query,
                withPromise(keys.of(key)),
                new Object[0],
                answers::ballot,
                no -> new Ballot.Unknown(no.cause(), no.detail()));
    }

    @Override
    public CompletionStage<Promise> promise(CacheKey key, Version version, Duration keep) {
        Object[] arguments = {ScriptWords.bytesOf(version), ScriptWords.digits(Math.max(1, keep.toMillis()))};
        return fenced(
                FencedScripts::promise,
                withPromise(keys.of(key)),
                arguments,
                answer -> answers.promise(key, answer),
                no -> new Promise.Unknown(no.cause(), no.detail()));
    }

    @Override
    public CompletionStage<StoreOutcome> accept(Entry entry) {
        Object[] arguments = {Envelope.encode(entry), ScriptWords.ttlOf(entry, clock.millis())};
        return fenced(
                FencedScripts::accept,
                withPromise(keys.of(entry.key())),
                arguments,
                answers::outcome,
                RedisTier::outcomeOf);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        long now = clock.millis();
        byte[] how = ScriptWords.codeOf(condition);
        byte[] expected = ScriptWords.expectedBy(condition);
        Object[] arguments = {
            how, Envelope.encode(entry), ScriptWords.ttlOf(entry, now), ScriptWords.digits(now), expected,
        };
        return fenced(
                FencedScripts::store,
                withPromise(keys.of(entry.key())),
                arguments,
                answers::outcome,
                RedisTier::outcomeOf);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        Map<CacheKey, CompletableFuture<StoreOutcome>> last = new HashMap<>();
        List<CompletableFuture<StoreOutcome>> stored = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            // Connections of a pool overtake each other; two writes of one key must not.
            CompletableFuture<StoreOutcome> before = last.get(entry.key());
            CompletionStage<StoreOutcome> mine = before == null
                    ? put(entry, WriteCondition.IF_NEWER)
                    : before.thenCompose(done -> put(entry, WriteCondition.IF_NEWER));
            last.put(entry.key(), mine.toCompletableFuture());
            stored.add(mine.toCompletableFuture());
        }
        return CompletableFuture.allOf(stored.toArray(CompletableFuture[]::new))
                .thenApply(done -> stored.stream().map(CompletableFuture::join).toList());
    }

    @Override
    public CompletionStage<Standing> examine() {
        return longCalls.call(admission::examine, standing -> standing, no -> Standing.UNREACHABLE);
    }

    @Override
    public CompletionStage<Boolean> begin(String token) {
        if (!Incarnation.isToken(token)) {
            return CompletableFuture.completedStage(false);
        }
        return longCalls.call(
                (connection, servers) -> admission.begin(token, connection, servers), done -> done, no -> {
                    admission.failed("begun", token, no.detail());
                    return false;
                });
    }

    @Override
    public CompletionStage<Boolean> admit(String token) {
        if (!Incarnation.isToken(token)) {
            return CompletableFuture.completedStage(false);
        }
        return longCalls.call(
                (connection, servers) -> admission.admit(token, connection, servers), done -> done, no -> {
                    admission.failed("admitted", token, no.detail());
                    return false;
                });
    }

    @Override
    public CompletionStage<StoreOutcome> restore(Entry entry) {
        String redisKey = keys.of(entry.key());
        Object[] arguments = {Envelope.encode(entry), ScriptWords.ttlOf(entry, clock.millis())};
        return calls.call(
                (connection, servers) -> ours(connection, servers)
                        .thenCompose(ours ->
                                restore(connection, servers, FencedScripts.RESTORE, List.of(redisKey), arguments)),
                answers::outcome,
                RedisTier::outcomeOf);
    }

    @Override
    public CompletionStage<Boolean> restorePromise(CacheKey key, Version version, Duration keep) {
        Object[] arguments = {ScriptWords.bytesOf(version), ScriptWords.digits(Math.max(1, keep.toMillis()))};
        return calls.call(
                (connection, servers) -> ours(connection, servers)
                        .thenCompose(ours -> restore(
                                connection,
                                servers,
                                FencedScripts.RESTORE_PROMISE,
                                withPromise(keys.of(key)),
                                arguments)),
                answers::isDone,
                no -> false);
    }

    /** Fails when the zone is another one: restoring runs past the fence that would have told. */
    private CompletionStage<Boolean> ours(Connector.Connection connection, ZoneServers servers) {
        if (identity.foreign().isEmpty() && identity.checkedWithin(NAME_IS_GOOD_NANOS)) {
            return CompletableFuture.completedStage(true);
        }
        return admission.read(connection, servers).thenApply(reading -> {
            if (reading == ZoneIdentity.Reading.FOREIGN) {
                throw new RedisException(identity.foreign());
            }
            return true;
        });
    }

    private static CompletionStage<byte[]> restore(
            Connector.Connection connection,
            ZoneServers servers,
            Script script,
            List<Object> keyNames,
            Object[] arguments) {
        return eval(connection, script, keyNames, arguments)
                .<CompletionStage<byte[]>>handle((answer, failure) -> {
                    if (failure == null) {
                        return CompletableFuture.completedStage(answer);
                    }
                    return Failures.isScriptMissing(failure)
                            ? servers.load(servers.primaries(), List.of(script))
                                    .thenCompose(loaded -> eval(connection, script, keyNames, arguments))
                            : CompletableFuture.failedStage(Failures.root(failure));
                })
                .thenCompose(outcome -> outcome);
    }

    @Override
    public CompletionStage<ReplicaPage> page(@Nullable String cursor, int limit) {
        return longCalls.call(
                (connection, servers) ->
                        ours(connection, servers).thenCompose(ours -> walk.page(servers, cursor, limit)),
                page -> page,
                no -> new ReplicaPage(List.of(), null, no.detail()));
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return foreignOr(() -> tier.clear(cache, upTo), no -> null);
    }

    @Override
    public LeaseStore leases() {
        return tier.leases();
    }

    @Override
    public CompletionStage<Prolonged> prolong(Entry entry) {
        return foreignOr(() -> tier.prolong(entry), no -> Prolonged.UNAVAILABLE);
    }

    @Override
    public RateStore rates() {
        return tier.rates();
    }

    @Override
    public TierStatus status() {
        TierStatus inner = tier.status();
        String detail = identity.foreign().isEmpty() ? inner.detail() : identity.foreign();
        return new TierStatus(
                inner.level(), inner.state(), "zone " + zone + ": " + inner.description(), detail, -1, -1);
    }

    @Override
    public void close() {
        tier.close();
        calls.close();
        longCalls.close();
    }
}
