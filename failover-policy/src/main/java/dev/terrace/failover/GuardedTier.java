package dev.terrace.failover;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A circuit breaker around a tier: once it failed too often, callers are told {@link Unavailability#BREAKER_OPEN} at once
 * and the tier is left alone until a probe succeeds. Thread-safe; transparent otherwise.
 *
 * <p>{@code failure_threshold: n} means n failures among the last 2n calls, with a verdict from n calls on; Resilience4j
 * counts rates over windows, so that is a window of 2n, a minimum of n calls and a rate of 50 %. Timeouts, errors and
 * storage failures count. Not connected, overloaded and closed do not: those answers cost nothing, and a server that
 * comes back must not wait for a breaker that opened while it was away.
 */
public final class GuardedTier implements Tier {
    private static final Logger LOG = LoggerFactory.getLogger(GuardedTier.class);

    private final Tier tier;
    private final CircuitBreaker breaker;
    private final Counter rejected;

    /** Guards {@code tier}, which it then owns and closes. */
    public GuardedTier(Tier tier, CircuitBreakerSettings settings, MetricRegistry metrics) {
        this.tier = tier;
        String name = tier.level().name().toLowerCase(Locale.ROOT);
        this.breaker = CircuitBreaker.of(
                name,
                CircuitBreakerConfig.custom()
                        .slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(2 * settings.failureThreshold())
                        .minimumNumberOfCalls(settings.failureThreshold())
                        .failureRateThreshold(50)
                        .slowCallDurationThreshold(settings.timeout())
                        .slowCallRateThreshold(50)
                        .waitDurationInOpenState(settings.resetTimeout())
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .build());
        this.rejected = metrics.counter("guard." + name + ".rejected");
        String gauge = "guard." + name + ".state";
        metrics.remove(gauge);
        metrics.register(gauge, (Gauge<String>) () -> breaker.getState().name());
        breaker.getEventPublisher()
                .onStateTransition(event -> LOG.info(
                        "circuit breaker moved tier={} from={} to={} failure_rate={}",
                        name,
                        event.getStateTransition().getFromState(),
                        event.getStateTransition().getToState(),
                        breaker.getMetrics().getFailureRate()));
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
        if (!breaker.tryAcquirePermission()) {
            rejected.inc();
            return CompletableFuture.completedStage(noLookup());
        }
        long started = System.nanoTime();
        return tier.get(key).whenComplete((found, bug) -> record(started, causeOf(found), bug));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        if (!breaker.tryAcquirePermission()) {
            rejected.inc();
            Map<CacheKey, Lookup> none = new HashMap<>();
            keys.forEach(key -> none.put(key, noLookup()));
            return CompletableFuture.completedStage(none);
        }
        long started = System.nanoTime();
        return tier.getAll(keys)
                .whenComplete((found, bug) -> record(
                        started,
                        found == null || found.isEmpty()
                                ? null
                                : causeOf(found.values().iterator().next()),
                        bug));
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        if (!breaker.tryAcquirePermission()) {
            rejected.inc();
            return CompletableFuture.completedStage(noStore());
        }
        long started = System.nanoTime();
        return tier.put(entry, condition).whenComplete((outcome, bug) -> record(started, causeOf(outcome), bug));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        if (!breaker.tryAcquirePermission()) {
            rejected.inc();
            return CompletableFuture.completedStage(Collections.nCopies(entries.size(), noStore()));
        }
        long started = System.nanoTime();
        return tier.putAll(entries)
                .whenComplete((outcomes, bug) ->
                        record(started, outcomes == null || outcomes.isEmpty() ? null : causeOf(outcomes.get(0)), bug));
    }

    private Lookup noLookup() {
        return new Lookup.Unavailable(level(), Unavailability.BREAKER_OPEN, "the circuit breaker is open");
    }

    private StoreOutcome noStore() {
        return new StoreOutcome.Unavailable(level(), Unavailability.BREAKER_OPEN, "the circuit breaker is open");
    }

    private static @Nullable Unavailability causeOf(@Nullable Lookup found) {
        return found instanceof Lookup.Unavailable no ? no.cause() : null;
    }

    private static @Nullable Unavailability causeOf(@Nullable StoreOutcome outcome) {
        return outcome instanceof StoreOutcome.Unavailable no ? no.cause() : null;
    }

    private void record(long started, @Nullable Unavailability cause, @Nullable Throwable bug) {
        long took = System.nanoTime() - started;
        if (bug != null) {
            breaker.onError(took, TimeUnit.NANOSECONDS, bug);
        } else if (cause == null) {
            breaker.onSuccess(took, TimeUnit.NANOSECONDS);
        } else {
            switch (cause) {
                case TIMEOUT, ERROR, STORAGE -> breaker.onError(took, TimeUnit.NANOSECONDS, new TierFailure(cause));
                case DISCONNECTED, OVERLOADED, BREAKER_OPEN, CLOSED -> breaker.releasePermission();
            }
        }
    }

    /** What the breaker is told; carries no stack because nobody reads it. */
    private static final class TierFailure extends Exception {
        private static final long serialVersionUID = 1L;

        TierFailure(Unavailability cause) {
            super(cause.name(), null, false, false);
        }
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return tier.clear(cache, upTo);
    }

    /** The tier's own account, with the breaker's state when it is not closed. */
    @Override
    public TierStatus status() {
        TierStatus status = tier.status();
        if (breaker.getState() == CircuitBreaker.State.CLOSED) {
            return status;
        }
        String detail = "circuit breaker " + breaker.getState().name().toLowerCase(Locale.ROOT);
        return new TierStatus(
                status.level(),
                status.state(),
                status.description(),
                status.detail().isEmpty() ? detail : status.detail() + "; " + detail,
                status.entries(),
                status.bytes());
    }

    @Override
    public void close() {
        tier.close();
    }
}
