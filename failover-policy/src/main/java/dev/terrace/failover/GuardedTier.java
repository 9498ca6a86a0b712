package dev.terrace.failover;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
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
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A circuit breaker and an outer deadline around a tier. Once the tier failed too often, callers are told {@link
 * Unavailability#BREAKER_OPEN} at once and it is left alone until a probe succeeds. A call that the tier does not end by
 * itself ends as {@link Unavailability#TIMEOUT} all the same, and what it throws becomes {@link Unavailability#ERROR}: no
 * stage of a guarded tier fails or hangs. Thread-safe; transparent otherwise.
 *
 * <p>{@code failure_threshold: n} means n failures among the last 2n calls, with a verdict from n calls on; Resilience4j
 * counts rates over windows, so that is a window of 2n, a minimum of n calls and a rate of 50 %. Timeouts, errors and
 * storage failures count. Not connected, overloaded and closed do not: those answers cost nothing, and a server that
 * comes back must not wait for a breaker that opened while it was away. A bulk call counts as failed when at least half of
 * its answers did. What ended long after its deadline says that this process stood still, and does not count.
 */
public final class GuardedTier implements Tier {
    private static final Logger LOG = LoggerFactory.getLogger(GuardedTier.class);

    /** A call that ends so much later than its deadline was held up by a pause of this process. */
    static final long OWN_PAUSE_MILLIS = 500;

    private final Tier tier;
    private final CallBreaker breaker;
    private final Counter broken;
    private final long deadlineMillis;
    private final Deadlines deadlines;

    /**
     * Guards {@code tier}, which it then owns and closes.
     *
     * @param settings when the breaker opens; with {@code enabled: false} only the deadline remains
     * @param deadline when a call is given up; longer than the tier's own deadline
     * @param metrics where {@code guard.<tier>.state}, {@code .rejected} and {@code .broken} go
     */
    public GuardedTier(Tier tier, CircuitBreakerSettings settings, Duration deadline, MetricRegistry metrics) {
        this.tier = tier;
        this.deadlineMillis = deadline.toMillis();
        this.deadlines = new Deadlines("terrace-guard-" + tier.level().name().toLowerCase(Locale.ROOT), deadlineMillis);
        String name = tier.level().name().toLowerCase(Locale.ROOT);
        this.breaker = new CallBreaker(name, settings, 1, deadlineMillis, metrics);
        this.broken = metrics.counter("guard." + name + ".broken");
    }

    /**
     * What the outcomes of calls say of the tier: down while the breaker is open, unknown while it is being tried, else up.
     *
     * @param nowMillis now, by the clock in which the answer says since when
     */
    public Signal signal(long nowMillis) {
        return breaker.signal(nowMillis);
    }

    /** True when a call went well not longer ago than {@code nanos}. */
    public boolean hasWorkedWithin(long nanos) {
        return breaker.hasWorkedWithin(nanos);
    }

    /**
     * Tries the tier, and decides with that whether a breaker that lets a probe through closes; an open one does not keep it
     * away.
     *
     * @param probed how to try
     * @return empty when it worked, else why not
     */
    public CompletionStage<String> probe(Probed probed) {
        boolean decides = breaker.isHalfOpen() && breaker.tryEnter();
        long started = System.nanoTime();
        CompletableFuture<String> bounded = new CompletableFuture<>();
        try {
            probed.probe().whenComplete((trouble, bug) -> bounded.complete(bug == null ? trouble : bug.toString()));
        } catch (RuntimeException | Error e) {
            bounded.complete(e.toString());
        }
        return deadlines
                .watch(bounded, () -> "no answer within " + deadlineMillis + " ms")
                .thenApply(trouble -> {
                    if (decides) {
                        breaker.ended(System.nanoTime() - started, trouble.isEmpty() ? null : Unavailability.ERROR);
                    }
                    return trouble;
                });
    }

    /** The tier behind the guard, for capabilities that are not calls of {@link Tier}. */
    public Tier unwrap() {
        return tier;
    }

    @Override
    public TierLevel level() {
        return tier.level();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return guarded(() -> tier.get(key), GuardedTier::causeOf, this::noLookup);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return guarded(
                () -> tier.getAll(keys), found -> causeOfMost(found.values(), GuardedTier::causeOf), (cause, why) -> {
                    Map<CacheKey, Lookup> none = new HashMap<>();
                    keys.forEach(key -> none.put(key, noLookup(cause, why)));
                    return none;
                });
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return guarded(() -> tier.put(entry, condition), GuardedTier::causeOf, this::noStore);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return guarded(() -> tier.put(entry, condition, mode), GuardedTier::causeOf, this::noStore);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return allGuarded(entries, () -> tier.putAll(entries));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return allGuarded(entries, () -> tier.putAll(entries, mode));
    }

    private CompletionStage<List<StoreOutcome>> allGuarded(
            List<Entry> entries, Supplier<CompletionStage<List<StoreOutcome>>> call) {
        return guarded(
                call,
                outcomes -> causeOfMost(outcomes, GuardedTier::causeOf),
                (cause, why) -> Collections.nCopies(entries.size(), noStore(cause, why)));
    }

    private Lookup noLookup(Unavailability cause, String why) {
        return new Lookup.Unavailable(level(), cause, why);
    }

    private StoreOutcome noStore(Unavailability cause, String why) {
        return new StoreOutcome.Unavailable(level(), cause, why);
    }

    static @Nullable Unavailability causeOf(Lookup found) {
        return found instanceof Lookup.Unavailable no ? no.cause() : null;
    }

    static @Nullable Unavailability causeOf(StoreOutcome outcome) {
        return outcome instanceof StoreOutcome.Unavailable no ? no.cause() : null;
    }

    static <T> @Nullable Unavailability causeOfMost(
            Collection<T> answers, Function<T, @Nullable Unavailability> causeOf) {
        Unavailability cause = null;
        int failed = 0;
        for (T answer : answers) {
            Unavailability own = causeOf.apply(answer);
            if (own != null) {
                failed++;
                cause = own;
            }
        }
        return failed * 2 >= answers.size() ? cause : null;
    }

    private <T> CompletionStage<T> guarded(
            Supplier<CompletionStage<T>> call,
            Function<T, @Nullable Unavailability> causeOf,
            BiFunction<Unavailability, String, T> unavailable) {
        if (!breaker.tryEnter()) {
            return CompletableFuture.completedStage(
                    unavailable.apply(Unavailability.BREAKER_OPEN, "the circuit breaker is open"));
        }
        long started = System.nanoTime();
        CompletableFuture<T> bounded = new CompletableFuture<>();
        try {
            call.get().whenComplete((value, bug) -> {
                if (bug == null) {
                    bounded.complete(value);
                } else {
                    bounded.complete(instead(bug, unavailable));
                }
            });
        } catch (RuntimeException | Error e) {
            bounded.complete(instead(e, unavailable));
        }
        return deadlines.watch(bounded, () -> tooLate(unavailable)).thenApply(told -> {
            breaker.ended(System.nanoTime() - started, causeOf.apply(told));
            return told;
        });
    }

    private <T> T tooLate(BiFunction<Unavailability, String, T> unavailable) {
        broken.inc();
        LOG.warn("tier did not keep its own deadline tier={} outer_deadline_ms={}", level(), deadlineMillis);
        return unavailable.apply(Unavailability.TIMEOUT, "no answer within " + deadlineMillis + " ms");
    }

    private <T> T instead(Throwable bug, BiFunction<Unavailability, String, T> unavailable) {
        broken.inc();
        LOG.error("tier failed instead of answering tier={}", level(), bug);
        return unavailable.apply(Unavailability.ERROR, bug.toString());
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return tier.clear(cache, upTo);
    }

    /** The tier's own account, with the breaker's state when it is not closed. */
    @Override
    public TierStatus status() {
        return with(breaker, tier.status());
    }

    static TierStatus with(CallBreaker breaker, TierStatus status) {
        return new TierStatus(
                status.level(),
                status.state(),
                status.description(),
                breaker.detail(status.detail()),
                status.entries(),
                status.bytes());
    }

    @Override
    public void close() {
        tier.close();
        deadlines.close();
    }
}
