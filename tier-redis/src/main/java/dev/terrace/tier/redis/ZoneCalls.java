package dev.terrace.tier.redis;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Runs the calls of a zone: bounded in number and in time, with a cause for every failure. Thread-safe. */
final class ZoneCalls implements AutoCloseable {
    private static final long MOVING_PAUSE_MILLIS = 10;
    private static final Executor LATER = CompletableFuture.delayedExecutor(MOVING_PAUSE_MILLIS, TimeUnit.MILLISECONDS);

    private final Connector connector;
    private final long timeoutMillis;
    private final Deadlines deadlines;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Counter timeouts;
    private final Counter errors;
    private final Counter fenced;
    private final Counter overloaded;
    private volatile @Nullable ZoneServers servers;

    ZoneCalls(String zone, Connector connector, long timeoutMillis, MetricRegistry metrics) {
        this.connector = connector;
        this.timeoutMillis = timeoutMillis;
        this.deadlines = new Deadlines("terrace-zone-deadlines-" + zone, timeoutMillis);
        this.timeouts = metrics.counter("timeouts");
        this.errors = metrics.counter("errors");
        this.fenced = metrics.counter("fenced");
        this.overloaded = metrics.counter("overloaded");
    }

    /** A question to the zone, asked when there is a connection. */
    interface Question<R> {
        CompletionStage<R> ask(Connector.Connection connection, ZoneServers servers);
    }

    /** Asks; {@code failed} turns a failure into this call's way of saying so. */
    <R, T> CompletionStage<T> call(
            Question<R> question, Function<R, T> answered, Function<Lookup.Unavailable, T> failed) {
        Connector.Connection connection = connector.connection();
        if (connection == null || connector.isClosed()) {
            return CompletableFuture.completedStage(failed.apply(notConnected()));
        }
        if (inFlight.incrementAndGet() > RedisTier.MOST_IN_FLIGHT) {
            inFlight.decrementAndGet();
            overloaded.inc();
            return CompletableFuture.completedStage(failed.apply(
                    no(Unavailability.OVERLOADED, RedisTier.MOST_IN_FLIGHT + " calls wait for the zone already")));
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        ask(question, connection, result).whenComplete((value, failure) -> {
            inFlight.decrementAndGet();
            if (failure != null) {
                result.complete(failed.apply(explain(failure)));
                return;
            }
            try {
                result.complete(answered.apply(value));
            } catch (RuntimeException e) {
                errors.inc();
                result.complete(failed.apply(
                        no(Unavailability.DISCONNECTED, "the answer could not be read: " + Failures.describe(e))));
            }
        });
        return deadlines.watch(result, () -> {
            timeouts.inc();
            return failed.apply(no(Unavailability.TIMEOUT, "no answer within " + timeoutMillis + " ms"));
        });
    }

    /** Asks again, until the deadline, while the slot is on its way to another server. */
    private <R> CompletionStage<R> ask(
            Question<R> question, Connector.Connection connection, CompletableFuture<?> result) {
        CompletionStage<R> asked;
        try {
            asked = question.ask(connection, servers(connection));
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
        return asked.<CompletionStage<R>>handle((value, failure) -> {
                    if (failure == null) {
                        return CompletableFuture.completedStage(value);
                    }
                    return ZoneFailures.isMoving(failure) && !result.isDone()
                            ? CompletableFuture.supplyAsync(() -> ask(question, connection, result), LATER)
                                    .thenCompose(again -> again)
                            : CompletableFuture.failedStage(Failures.root(failure));
                })
                .thenCompose(outcome -> outcome);
    }

    private ZoneServers servers(Connector.Connection connection) {
        ZoneServers current = servers;
        if (current == null) {
            current = new ZoneServers(connection.client());
            servers = current;
        }
        return current;
    }

    private Lookup.Unavailable notConnected() {
        return connector.isClosed()
                ? no(Unavailability.CLOSED, "the zone is closed")
                : no(Unavailability.DISCONNECTED, connector.trouble());
    }

    private Lookup.Unavailable explain(Throwable failure) {
        Unavailability cause = connector.isClosed() ? Unavailability.CLOSED : ZoneFailures.cause(failure);
        counterOf(cause).inc();
        return no(cause, ZoneFailures.describe(failure));
    }

    private Counter counterOf(Unavailability cause) {
        return switch (cause) {
            case TIMEOUT -> timeouts;
            case FORGETFUL -> fenced;
            case OVERLOADED -> overloaded;
            default -> errors;
        };
    }

    static Lookup.Unavailable no(Unavailability cause, String detail) {
        return new Lookup.Unavailable(TierLevel.L2, cause, detail);
    }

    @Override
    public void close() {
        deadlines.close();
    }
}
