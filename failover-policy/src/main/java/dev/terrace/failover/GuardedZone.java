package dev.terrace.failover;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A circuit breaker around one zone. Once too many of its calls failed or were slow, nobody waits for it: it answers {@link
 * Unavailability#BREAKER_OPEN} at once, which is to a quorum what a zone is that does not answer: no vote, no acknowledgement, and
 * what it missed becomes a hint. It was not asked, so it has done nothing and never will. Thread-safe; transparent otherwise.
 *
 * <p>Every call about entries counts and is guarded: {@code get}, {@code vote}, {@code query}, {@code promise}, {@code accept} and
 * the stores; errors about one key count once, because the key may be what is bad. What re-synchronisation does ({@code examine}, {@code begin}, {@code admit}, {@code restore}, {@code page}) always
 * goes through and counts for nothing: it has a pace of its own, and a zone that is back must be able to join.
 *
 * <p>What calls say goes before what a {@linkplain #probe try} says, which may be well where entries are not: after the reset
 * timeout {@value #PROBES} calls decide whether the breaker closes. A try decides only where no call comes. One that works after
 * others had failed says that something has changed, and has calls try the zone at once.
 *
 * <p>Has no deadline of its own: zones keep theirs.
 */
public final class GuardedZone extends ForwardingTier implements Replica {
    private static final int PROBES = 3;
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final String OPEN = "the circuit breaker of the zone is open";

    private static final Lookup NO_LOOKUP = new Lookup.Unavailable(TierLevel.L2, Unavailability.BREAKER_OPEN, OPEN);
    private static final StoreOutcome NO_STORE =
            new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.BREAKER_OPEN, OPEN);
    private static final Ballot NO_BALLOT = new Ballot.Unknown(Unavailability.BREAKER_OPEN, OPEN);
    private static final Promise NO_PROMISE = new Promise.Unknown(Unavailability.BREAKER_OPEN, OPEN);

    private final Replica zone;
    private final CallBreaker breaker;
    private volatile boolean triedInVain;

    /** When an entry was last taken, by {@link System#nanoTime}. */
    private volatile long storedNanos = System.nanoTime() - TimeUnit.HOURS.toNanos(1);

    /**
     * Guards {@code zone}, which it then owns and closes.
     *
     * @param settings when the breaker opens; with {@code enabled: false} it never does
     * @param deadline when the zone ends calls by itself
     * @param metrics where {@code guard.zone.<zone>.state}, {@code .rejected} and {@code .paused} go
     */
    public GuardedZone(Replica zone, CircuitBreakerSettings settings, Duration deadline, MetricRegistry metrics) {
        super(zone);
        this.zone = zone;
        this.breaker = new CallBreaker("zone." + zone.zone(), settings, PROBES, deadline.toMillis(), metrics);
    }

    /** What the outcomes of calls say of the zone, as {@link GuardedTier#signal}. */
    public Signal signal(long nowMillis) {
        return breaker.signal(nowMillis);
    }

    /** True when the zone took an entry not longer ago than {@code nanos}. */
    public boolean hasStoredWithin(long nanos) {
        return System.nanoTime() - storedNanos < nanos;
    }

    /**
     * Tries the zone, whatever the breaker says.
     *
     * @param probed how to try
     * @return empty when it worked, else why not
     */
    public CompletionStage<String> probe(Probed probed) {
        return probed.probe().thenApply(trouble -> {
            boolean works = trouble.isEmpty();
            if (breaker.isHalfOpen() && breaker.isQuietFor(QUIET_NANOS)) {
                breaker.decide(works);
            } else if (works && triedInVain) {
                breaker.probeEarly();
            }
            triedInVain = !works;
            return trouble;
        });
    }

    @Override
    public String zone() {
        return zone.zone();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return guarded(key, () -> zone.get(key), GuardedTier::causeOf, () -> NO_LOOKUP);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return guarded(
                null,
                () -> zone.getAll(keys),
                found -> GuardedTier.causeOfMost(found.values(), GuardedTier::causeOf),
                () -> {
                    Map<CacheKey, Lookup> none = new HashMap<>();
                    keys.forEach(key -> none.put(key, NO_LOOKUP));
                    return none;
                });
    }

    @Override
    public CompletionStage<Lookup> vote(CacheKey key) {
        return guarded(key, () -> zone.vote(key), GuardedTier::causeOf, () -> NO_LOOKUP);
    }

    @Override
    public CompletionStage<Ballot> query(CacheKey key) {
        return guarded(
                key,
                () -> zone.query(key),
                ballot -> ballot instanceof Ballot.Unknown no ? no.cause() : null,
                () -> NO_BALLOT);
    }

    @Override
    public CompletionStage<Promise> promise(CacheKey key, Version version, Duration keep) {
        return guarded(
                key,
                () -> zone.promise(key, version, keep),
                promise -> promise instanceof Promise.Unknown no ? no.cause() : null,
                () -> NO_PROMISE);
    }

    @Override
    public CompletionStage<StoreOutcome> accept(Entry entry) {
        return guarded(entry.key(), () -> zone.accept(entry), this::stored, () -> NO_STORE);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return guarded(entry.key(), () -> zone.put(entry, condition), this::stored, () -> NO_STORE);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return guarded(entry.key(), () -> zone.put(entry, condition, mode), this::stored, () -> NO_STORE);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return guarded(
                null, () -> zone.putAll(entries), this::allStored, () -> Collections.nCopies(entries.size(), NO_STORE));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return guarded(
                null,
                () -> zone.putAll(entries, mode),
                this::allStored,
                () -> Collections.nCopies(entries.size(), NO_STORE));
    }

    private @Nullable Unavailability stored(StoreOutcome outcome) {
        Unavailability cause = GuardedTier.causeOf(outcome);
        if (cause == null) {
            storedNanos = System.nanoTime();
        }
        return cause;
    }

    private @Nullable Unavailability allStored(List<StoreOutcome> outcomes) {
        return GuardedTier.causeOfMost(outcomes, this::stored);
    }

    /** @param key what the call is about; null for several */
    private <T> CompletionStage<T> guarded(
            @Nullable CacheKey key,
            Supplier<CompletionStage<T>> call,
            Function<T, @Nullable Unavailability> causeOf,
            Supplier<T> instead) {
        if (!breaker.tryEnter()) {
            return CompletableFuture.completedStage(instead.get());
        }
        long started = System.nanoTime();
        CompletionStage<T> called;
        try {
            called = call.get();
        } catch (RuntimeException | Error e) {
            called = CompletableFuture.failedStage(e);
        }
        return called.whenComplete((told, bug) -> {
            long nanos = System.nanoTime() - started;
            Unavailability cause = bug == null ? causeOf.apply(told) : Unavailability.ERROR;
            if (key == null) {
                breaker.ended(nanos, cause);
            } else {
                breaker.ended(nanos, cause, key.hashCode());
            }
        });
    }

    @Override
    public CompletionStage<Standing> examine() {
        return zone.examine();
    }

    @Override
    public CompletionStage<Boolean> begin(String token) {
        return zone.begin(token);
    }

    @Override
    public CompletionStage<Boolean> admit(String token) {
        return zone.admit(token);
    }

    @Override
    public CompletionStage<StoreOutcome> restore(Entry entry) {
        return zone.restore(entry);
    }

    @Override
    public CompletionStage<Boolean> restorePromise(CacheKey key, Version version, Duration keep) {
        return zone.restorePromise(key, version, keep);
    }

    @Override
    public CompletionStage<ReplicaPage> page(@Nullable String cursor, int limit) {
        return zone.page(cursor, limit);
    }

    /** The zone's own account, with the breaker's state when it is not closed. */
    @Override
    public TierStatus status() {
        return GuardedTier.with(breaker, zone.status());
    }
}
