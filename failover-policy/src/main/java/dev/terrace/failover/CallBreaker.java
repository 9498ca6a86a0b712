package dev.terrace.failover;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.spi.Unavailability;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The circuit breaker of a tier or zone: what became of calls decides whether further ones are let through. What counts, and what
 * {@code failure_threshold} means, is told by {@link GuardedTier}. Thread-safe.
 */
final class CallBreaker {
    private static final Logger LOG = LoggerFactory.getLogger(CallBreaker.class);

    private final CircuitBreaker breaker;
    private final Counter rejected;
    private final Counter paused;
    private final long deadlineMillis;
    private final FailedKeys failedKeys;

    /** When a call last went well, by {@link System#nanoTime}. */
    private volatile long workedNanos = System.nanoTime() - TimeUnit.HOURS.toNanos(1);

    private volatile long movedNanos = System.nanoTime();
    private volatile long endedNanos = movedNanos;

    /**
     * Closed, or disabled where the settings say so.
     *
     * @param what it guards, for the log and for metrics {@code guard.<what>.state}, {@code .rejected} and {@code .paused}
     * @param probes how many calls decide whether it closes again
     * @param deadlineMillis when the calls end by themselves
     */
    CallBreaker(String what, CircuitBreakerSettings settings, int probes, long deadlineMillis, MetricRegistry metrics) {
        this.deadlineMillis = deadlineMillis;
        this.failedKeys = new FailedKeys(2 * settings.failureThreshold());
        this.breaker = CircuitBreaker.of(
                what,
                CircuitBreakerConfig.custom()
                        .slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(2 * settings.failureThreshold())
                        .minimumNumberOfCalls(settings.failureThreshold())
                        .failureRateThreshold(50)
                        .slowCallDurationThreshold(settings.timeout())
                        .slowCallRateThreshold(settings.slowCallPercent())
                        .waitDurationInOpenState(settings.resetTimeout())
                        .permittedNumberOfCallsInHalfOpenState(probes)
                        // By itself: while the ladder leaves the tier out, no call comes that would do it.
                        .automaticTransitionFromOpenToHalfOpenEnabled(true)
                        .build());
        if (!settings.enabled()) {
            breaker.transitionToDisabledState();
        }
        this.paused = metrics.counter("guard." + what + ".paused");
        this.rejected = metrics.counter("guard." + what + ".rejected");
        String gauge = "guard." + what + ".state";
        metrics.remove(gauge);
        metrics.register(gauge, (Gauge<String>) () -> breaker.getState().name());
        breaker.getEventPublisher().onStateTransition(event -> {
            movedNanos = System.nanoTime();
            synchronized (failedKeys) {
                failedKeys.clear();
            }
            LOG.info(
                    "circuit breaker moved of={} from={} to={} failure_rate={} slow_rate={}",
                    what,
                    event.getStateTransition().getFromState(),
                    event.getStateTransition().getToState(),
                    breaker.getMetrics().getFailureRate(),
                    breaker.getMetrics().getSlowCallRate());
        });
    }

    /** False when the call must not be made; it counts as rejected then. Else {@link #ended} must follow. */
    boolean tryEnter() {
        if (breaker.tryAcquirePermission()) {
            return true;
        }
        rejected.inc();
        return false;
    }

    /** A call is over after so long; {@code cause} is why it brought nothing, or null. */
    void ended(long nanos, @Nullable Unavailability cause) {
        endedNanos = System.nanoTime();
        if (cause == null) {
            workedNanos = endedNanos;
            breaker.onSuccess(nanos, TimeUnit.NANOSECONDS);
            return;
        }
        if (nanos > TimeUnit.MILLISECONDS.toNanos(deadlineMillis + GuardedTier.OWN_PAUSE_MILLIS)) {
            // The deadline ends calls in time while this process runs: it stood still, and the other side is not to
            // blame.
            paused.inc();
            breaker.releasePermission();
            return;
        }
        switch (cause) {
            case TIMEOUT, ERROR, STORAGE -> breaker.onError(nanos, TimeUnit.NANOSECONDS, new CallFailure(cause));
            // An answer, and in time: whether it may vote is decided elsewhere.
            case FORGETFUL -> breaker.onSuccess(nanos, TimeUnit.NANOSECONDS);
            case DISCONNECTED, OVERLOADED, BREAKER_OPEN, CLOSED -> breaker.releasePermission();
        }
    }

    /** As {@link #ended(long, Unavailability)}; of one key, errors count once: it may be the key that is bad. */
    void ended(long nanos, @Nullable Unavailability cause, int key) {
        boolean counts = true;
        if (cause == Unavailability.ERROR) {
            synchronized (failedKeys) {
                counts = failedKeys.add(key);
            }
        }
        if (counts) {
            ended(nanos, cause);
        } else {
            endedNanos = System.nanoTime();
            breaker.releasePermission();
        }
    }

    /** What the breaker is told; carries no stack because nobody reads it. */
    private static final class CallFailure extends Exception {
        private static final long serialVersionUID = 1L;

        CallFailure(Unavailability cause) {
            super(cause.name(), null, false, false);
        }
    }

    /**
     * What the outcomes of calls say: down while it is open, unknown while it lets probes through, else up.
     *
     * @param nowMillis now, by the clock in which the answer says since when
     */
    Signal signal(long nowMillis) {
        long since = nowMillis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - movedNanos);
        return switch (breaker.getState()) {
            case OPEN, FORCED_OPEN ->
                Signal.down("too many calls failed or were slow, the circuit breaker is open", since);
            case HALF_OPEN -> Signal.unknown("the circuit breaker lets a probe through", since);
            case CLOSED, DISABLED, METRICS_ONLY -> Signal.up(since);
        };
    }

    /** {@code detail}, with the state where that is of interest. */
    String detail(String detail) {
        CircuitBreaker.State state = breaker.getState();
        if (state == CircuitBreaker.State.CLOSED || state == CircuitBreaker.State.DISABLED) {
            return detail;
        }
        String own = "circuit breaker " + state.name().toLowerCase(Locale.ROOT);
        return detail.isEmpty() ? own : detail + "; " + own;
    }

    boolean isOpen() {
        return breaker.getState() == CircuitBreaker.State.OPEN;
    }

    boolean isHalfOpen() {
        return breaker.getState() == CircuitBreaker.State.HALF_OPEN;
    }

    /** True when it has been where it is for so long, and no call has ended meanwhile. */
    boolean isQuietFor(long nanos) {
        long moved = movedNanos;
        return System.nanoTime() - moved > nanos && endedNanos - moved < 0;
    }

    /** Lets probes through before the time has come. */
    synchronized void probeEarly() {
        if (isOpen()) {
            breaker.transitionToHalfOpenState();
        }
    }

    /** Decides in place of the calls that do not come. */
    synchronized void decide(boolean works) {
        if (isHalfOpen() && works) {
            breaker.transitionToClosedState();
        } else if (isHalfOpen()) {
            breaker.transitionToOpenState();
        }
    }

    /** True when a call went well not longer ago than {@code nanos}. */
    boolean hasWorkedWithin(long nanos) {
        return System.nanoTime() - workedNanos < nanos;
    }
}
