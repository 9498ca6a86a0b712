package dev.terrace.failover;

import dev.terrace.config.CircuitBreakerSettings;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops calls of an origin that fails for many keys, or is slow. A key that fails again and again counts once, so that one bad
 * key does not keep all others from the origin. {@code failure_threshold} means what it means for tiers: see {@link GuardedTier}.
 * Thread-safe.
 */
final class OriginBreaker {
    private static final Logger LOG = LoggerFactory.getLogger(OriginBreaker.class);
    private static final int PROBES = 3;

    private final CircuitBreaker breaker;
    private final LongSupplier nanos;
    private final long openNanos;
    private final OriginMutant mutant;
    private final FailedKeys failedKeys;
    private volatile long openedAt;

    OriginBreaker(String origin, CircuitBreakerSettings settings, LongSupplier nanos, OriginMutant mutant) {
        this.mutant = mutant;
        this.nanos = nanos;
        this.openNanos = settings.resetTimeout().toNanos();
        int window = 2 * settings.failureThreshold();
        this.failedKeys = new FailedKeys(window);
        this.breaker = CircuitBreaker.of(
                "origin-" + origin,
                CircuitBreakerConfig.custom()
                        .slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(window)
                        .minimumNumberOfCalls(settings.failureThreshold())
                        .failureRateThreshold(50)
                        .slowCallDurationThreshold(settings.timeout())
                        .slowCallRateThreshold(settings.slowCallPercent())
                        .waitDurationInOpenState(settings.resetTimeout())
                        .permittedNumberOfCallsInHalfOpenState(PROBES)
                        .clock(new NanosClock(nanos))
                        .build());
        if (!settings.enabled()) {
            breaker.transitionToDisabledState();
        }
        breaker.getEventPublisher().onStateTransition(event -> {
            openedAt = nanos.getAsLong();
            synchronized (failedKeys) {
                failedKeys.clear();
            }
            LOG.info(
                    "origin breaker moved origin={} from={} to={} failure_rate={} slow_rate={}",
                    origin,
                    event.getStateTransition().getFromState(),
                    event.getStateTransition().getToState(),
                    breaker.getMetrics().getFailureRate(),
                    breaker.getMetrics().getSlowCallRate());
        });
    }

    /** The wall clock that Resilience4j asks for, which must stand still with the other one in tests. */
    private static final class NanosClock extends Clock {
        private final LongSupplier nanos;

        NanosClock(LongSupplier nanos) {
            this.nanos = nanos;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.EPOCH.plusNanos(nanos.getAsLong());
        }
    }

    /** {@code closed}, {@code open}, {@code half_open} or {@code disabled}. */
    String state() {
        return breaker.getState().name().toLowerCase(Locale.ROOT);
    }

    /** True while it lets nothing through. */
    boolean isOpen() {
        return breaker.getState() == CircuitBreaker.State.OPEN && !left().isZero();
    }

    /** How long it will be open yet. */
    Duration left() {
        return Duration.ofNanos(Math.max(0, openedAt + openNanos - nanos.getAsLong()));
    }

    boolean tryEnter() {
        return breaker.tryAcquirePermission();
    }

    void leaveUnused() {
        breaker.releasePermission();
    }

    void succeeded(long lastedNanos) {
        breaker.onSuccess(lastedNanos, TimeUnit.NANOSECONDS);
    }

    void failed(int key, long lastedNanos) {
        boolean counts;
        synchronized (failedKeys) {
            counts = failedKeys.add(key) || mutant == OriginMutant.EVERY_FAILURE_COUNTS;
        }
        if (counts) {
            breaker.onError(lastedNanos, TimeUnit.NANOSECONDS, new OriginFailure());
        } else {
            breaker.releasePermission();
        }
    }

    /** What the breaker is told; carries no stack because nobody reads it. */
    private static final class OriginFailure extends Exception {
        private static final long serialVersionUID = 1L;

        OriginFailure() {
            super("the origin failed", null, false, false);
        }
    }
}
