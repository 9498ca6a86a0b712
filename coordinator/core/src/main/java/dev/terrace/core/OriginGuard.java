package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.RejectedException;
import dev.terrace.config.OriginSettings;
import dev.terrace.config.Policies;
import dev.terrace.failover.Admission;
import dev.terrace.failover.LoadPriority;
import dev.terrace.failover.OriginLimits;
import dev.terrace.spi.CacheKey;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Stands before every load and keeps the calls of its origin within what that can take. What is refused is answered stale where that is
 * allowed, and else with a {@link RejectedException} that says when to try again. Thread-safe.
 */
final class OriginGuard {
    private final Policies policies;
    private final Map<String, OriginSettings> settings;
    private final FleetRates rates;
    private final LongSupplier nanos;
    private final OriginLimits.Alarm alarm;
    private final MetricRegistry metrics;
    private final ConcurrentHashMap<String, OriginLimits> origins = new ConcurrentHashMap<>();

    OriginGuard(
            Policies policies,
            Map<String, OriginSettings> settings,
            FleetRates rates,
            LongSupplier nanos,
            OriginLimits.Alarm alarm,
            MetricRegistry metrics) {
        this.policies = policies;
        this.settings = settings;
        this.rates = rates;
        this.nanos = nanos;
        this.alarm = alarm;
        this.metrics = metrics;
    }

    /** The limits of the origin of {@code key}. A load of many keys is one call, of its first key's origin. */
    OriginLimits of(CacheKey key) {
        String named = policies.of(key).origin().name();
        return origin(named == null ? key.cache() : named);
    }

    private OriginLimits origin(String name) {
        OriginLimits known = origins.get(name);
        return known != null
                ? known
                : origins.computeIfAbsent(
                        name,
                        fresh -> new OriginLimits(
                                fresh, settings.getOrDefault(fresh, OriginSettings.defaults()), nanos, alarm, metrics));
    }

    /** Where each origin stands that was asked already, by name. */
    Map<String, OriginLimits.Status> status() {
        Map<String, OriginLimits.Status> all = new TreeMap<>();
        origins.forEach((name, limits) -> all.put(name, limits.status()));
        return all;
    }

    /** Why no origin can be asked: the breakers of all that were asked are open; empty when some can. */
    String broken() {
        boolean all = !origins.isEmpty() && origins.values().stream().allMatch(OriginLimits::isBroken);
        return all ? "failed too often: " + String.join(", ", new TreeMap<>(origins).keySet()) : "";
    }

    private static CacheKey first(Load load) {
        return load.claims().get(0).flight().key;
    }

    /** A link that refuses what is certain to be refused, before anything else is asked. */
    LoadStart beforeAll(LoadStart next) {
        return load -> {
            Admission.Refusal certain = of(first(load)).refusedNow();
            if (certain == null) {
                next.start(load);
            } else {
                refuse(load, certain);
            }
        };
    }

    /** The link right before the loader. */
    LoadStart before(LoadStart next) {
        return load -> {
            OriginLimits limits = of(first(load));
            LoadPriority priority = load.isBackground() ? LoadPriority.BACKGROUND : LoadPriority.FOREGROUND;
            limits.admit(priority, () -> !load.isOver()).thenAccept(admission -> {
                if (admission instanceof Admission.Refusal refusal) {
                    refuse(load, refusal);
                } else {
                    enter(load, limits, (Admission.Pass) admission, priority, next);
                }
            });
        };
    }

    private void enter(Load load, OriginLimits limits, Admission.Pass pass, LoadPriority priority, LoadStart next) {
        load.ended().whenComplete((done, failure) -> {
            if (!load.hasBegun()) {
                pass.unused();
            } else if (failure == null) {
                pass.succeeded();
            } else {
                pass.failed(first(load).hashCode());
            }
        });
        load.whenGivenUp(() -> pass.givenUp(first(load).hashCode()));
        if (limits.settings().fleetRatePerSecond() == 0) {
            next.start(load);
            return;
        }
        rates.take(limits, priority).thenAccept(wait -> {
            if (wait.isZero()) {
                next.start(load);
            } else {
                refuse(load, limits.refusedByFleet(wait));
            }
        });
    }

    private static void refuse(Load load, Admission.Refusal refusal) {
        load.cache().loadsRefused.inc();
        load.refuse(new RejectedException(
                "load of cache '" + load.cache().name + "' refused: " + refusal.why(), refusal.retryAfter()));
    }

    /** Where the origin of {@code key} stands, in words. */
    String describe(CacheKey key) {
        OriginLimits limits = of(key);
        OriginLimits.Status status = limits.status();
        return "origin '" + limits.name() + "': " + status.underWay() + " calls under way"
                + (status.limit() == Integer.MAX_VALUE ? "" : " of " + status.limit())
                + (status.waiting() == 0 ? "" : ", " + status.waiting() + " waiting") + ", breaker "
                + status.breaker();
    }
}
