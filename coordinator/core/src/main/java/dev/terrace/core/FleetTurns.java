package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.OriginPolicy.SingleFlight;
import dev.terrace.config.Policies;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.LeaseStore.Claimed;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One load per key and fleet: before a loader runs, its node takes the key's lease in L2; the others wait until the value is there, the
 * lease is given back, or its owner has not renewed it, and nobody parks a thread for that. Thread-safe.
 *
 * <p>Best effort on purpose: where L2 does not answer, every node loads for itself, and a lease that two nodes hold costs a call of the
 * origin and nothing else, because {@linkplain Fills versions} decide what is kept. So no lease is ever waited for beyond the load's own
 * timeouts, and none outlives {@code loading.timeout}.
 */
final class FleetTurns {
    /** After so long without a sign of life the next one takes over. */
    static final Duration LEASE = Duration.ofMillis(700);

    static final long RENEW_MILLIS = 150;

    /** Who waits looks again after so long, then after twice as long, up to the longest. */
    static final long SHORTEST_WAIT_MILLIS = 10;

    static final long LONGEST_WAIT_MILLIS = 50;

    /** For so long no lease is asked for after L2 did not answer, so that loads do not wait for it one after the other. */
    static final long AWAY_MILLIS = 1_000;

    /** Loads of more keys go without leases: renewing those would be the greater burden. */
    static final int MOST_KEYS = 100;

    private static final Claimed TOO_SLOW =
            new Claimed.Unavailable(Unavailability.TIMEOUT, "no answer within soft_timeout");

    final LeaseMetrics metrics;
    final LeaseMutant mutant;
    private final TierPatience patience;
    private final Supplier<@Nullable LeaseStore> store;
    private final Policies policies;
    private final Look look;
    private final Fills fills;
    private final Consumer<Entry> tell;
    private final ScheduledExecutorService timer;
    private final HybridClock clock;
    private final LongSupplier nanos;
    private final long longestMillis;
    private final ConcurrentHashMap<CacheKey, Set<FleetTurn>> turns = new ConcurrentHashMap<>();
    private volatile boolean away;
    private volatile long awaySince;

    /** Looks for a key by L2's word. */
    interface Look extends BiFunction<CacheState, CacheKey, CompletionStage<Found>> {}

    /**
     * @param store where leases lie; null while, or when, there is none
     * @param tell lets other nodes know that something was stored that they wait for
     * @param longest time after which a lease is not renewed any more
     */
    FleetTurns(
            Supplier<@Nullable LeaseStore> store,
            Policies policies,
            Look look,
            Fills fills,
            Consumer<Entry> tell,
            ScheduledExecutorService timer,
            HybridClock clock,
            LongSupplier nanos,
            Duration longest,
            MetricRegistry metrics,
            TierPatience patience,
            LeaseMutant mutant) {
        this.patience = patience;
        this.store = store;
        this.policies = policies;
        this.look = look;
        this.fills = fills;
        this.tell = tell;
        this.timer = timer;
        this.clock = clock;
        this.nanos = nanos;
        this.longestMillis = longest.toMillis();
        this.metrics = new LeaseMetrics(metrics);
        this.mutant = mutant;
    }

    /** A link that lets loads pass one node at a time. */
    LoadStart before(LoadStart next) {
        return load -> {
            LeaseStore leases = store.get();
            if (leases == null || load.claims().size() > MOST_KEYS || !isWanted(load) || isAway()) {
                if (leases != null && isWanted(load)) {
                    metrics.without.inc(load.claims().size());
                }
                next.start(load);
            } else {
                new FleetTurn(this, leases, load, next).step();
            }
        };
    }

    /** One call of a loader is decided by its first key. */
    private boolean isWanted(Load load) {
        CacheKey key = load.claims().get(0).flight().key;
        return policies.of(key).origin().singleFlight() == SingleFlight.FLEET;
    }

    /** What L2 says of a claim, or that it takes too long; what it grants after that is given back. */
    @SuppressWarnings("ReferenceEquality") // whether it is not the store's own answer
    CompletableFuture<Claimed> inTime(LeaseStore leases, LeaseStore.Claim claim) {
        CompletionStage<Claimed> asked = leases.claim(claim);
        return patience.within(TierLevel.L2, asked, TOO_SLOW)
                .whenComplete((said, bug) -> {
                    if (said == TOO_SLOW) {
                        asked.thenAccept(late -> {
                            if (late instanceof Claimed.Granted) {
                                leases.release(claim.key(), claim.owner());
                            }
                        });
                    }
                })
                .toCompletableFuture();
    }

    private boolean isAway() {
        return away && nanos.getAsLong() - awaySince < TimeUnit.MILLISECONDS.toNanos(AWAY_MILLIS);
    }

    void noteAway() {
        awaySince = nanos.getAsLong();
        away = true;
    }

    void noteThere() {
        away = false;
    }

    /** Something was stored under {@code key}: whoever waits for that need not wait longer. */
    void heard(CacheKey key) {
        Set<FleetTurn> waiting = turns.get(key);
        if (waiting != null) {
            waiting.forEach(FleetTurn::wake);
        }
    }

    /** What this node has to do with the key's lease, in words; empty for nothing. */
    String describe(CacheKey key) {
        Set<FleetTurn> here = turns.get(key);
        return here == null
                ? ""
                : here.stream().map(turn -> turn.describe(key)).findFirst().orElse("");
    }

    void enter(CacheKey key, FleetTurn turn) {
        turns.compute(key, (same, known) -> {
            Set<FleetTurn> all = known == null ? ConcurrentHashMap.newKeySet() : known;
            all.add(turn);
            return all;
        });
    }

    void leave(CacheKey key, FleetTurn turn) {
        turns.computeIfPresent(key, (same, known) -> {
            known.remove(turn);
            return known.isEmpty() ? null : known;
        });
    }

    CompletionStage<Found> find(CacheState cache, Flight flight) {
        return look.apply(cache, flight.key).thenApply(found -> {
            fills.promote(cache, flight, found);
            return found;
        });
    }

    void tell(Entry entry) {
        tell.accept(entry);
    }

    ScheduledExecutorService timer() {
        return timer;
    }

    long longestMillis() {
        return longestMillis;
    }

    long nowMillis() {
        return clock.millis();
    }

    long nowNanos() {
        return nanos.getAsLong();
    }
}
