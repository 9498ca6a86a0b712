package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.failover.LoadPriority;
import dev.terrace.failover.OriginLimits;
import dev.terrace.failover.TokenBucket;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.RateStore.Taken;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rates that all nodes share, counted in L2. While L2 does not answer, a node takes its share: the rate by the number of nodes it
 * hears, so that a fleet without L2 keeps the rate too. A node that alone has lost L2 adds its share to what the others take.
 * Thread-safe.
 */
final class FleetRates {
    private final Function<String, @Nullable RateStore> stores;
    private final IntSupplier nodes;
    private final LongSupplier nanos;
    private final Counter local;
    private final ConcurrentHashMap<String, TokenBucket> shares = new ConcurrentHashMap<>();
    private volatile boolean away;
    private volatile long awaySince;

    /**
     * @param stores where the bucket of a name lies; null while, or when, there is no L2
     * @param nodes how many there are, this one included
     */
    FleetRates(
            Function<String, @Nullable RateStore> stores,
            IntSupplier nodes,
            LongSupplier nanos,
            MetricRegistry metrics) {
        this.stores = stores;
        this.nodes = nodes;
        this.nanos = nanos;
        this.local = metrics.counter("origins.fleet_rate.local");
    }

    /** Zero when a call may be made; else when to try again. Completes normally. */
    CompletionStage<Duration> take(OriginLimits limits, LoadPriority priority) {
        int burst = limits.settings().burst();
        int leave = priority == LoadPriority.BACKGROUND ? burst / 4 : 0;
        RateStore store = stores.apply(limits.name());
        if (store == null
                || away && nanos.getAsLong() - awaySince < TimeUnit.MILLISECONDS.toNanos(FleetTurns.AWAY_MILLIS)) {
            return CompletableFuture.completedStage(share(limits, leave));
        }
        RateStore.Rate rate = new RateStore.Rate(limits.settings().fleetRatePerSecond(), burst);
        return store.take(limits.name(), 1, leave, rate).thenApply(taken -> {
            if (taken instanceof Taken.Tokens tokens) {
                away = false;
                return tokens.tokens() > 0 ? Duration.ZERO : atLeast(tokens.next());
            }
            awaySince = nanos.getAsLong();
            away = true;
            return share(limits, leave);
        });
    }

    private static Duration atLeast(Duration wait) {
        return wait.isZero() ? Duration.ofMillis(1) : wait;
    }

    private Duration share(OriginLimits limits, int leave) {
        local.inc();
        int among = Math.max(1, nodes.getAsInt());
        TokenBucket bucket = shares.computeIfAbsent(limits.name(), name -> new TokenBucket(nanos));
        int burst = Math.max(1, limits.settings().burst() / among);
        return bucket.take((double) limits.settings().fleetRatePerSecond() / among, burst, Math.min(leave, burst - 1));
    }
}
