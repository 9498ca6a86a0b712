package dev.terrace.core;

import dev.terrace.config.Policies;
import dev.terrace.config.Policies.Policy;
import dev.terrace.spi.CacheKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** The promises that the settings make. Thread-safe. */
final class PolicyPromises implements Promises {
    private final Policies policies;

    PolicyPromises(Policies policies) {
        this.policies = policies;
    }

    private Promise of(Policy policy) {
        return switch (policy.consistency()) {
            case EVENTUAL -> Promise.EVENTUAL;
            case BOUNDED -> Promise.bounded(policy.stalenessBound());
            case STRICT -> Promise.strict(lease());
        };
    }

    @Override
    public Promise of(String cache, CacheKey key) {
        return of(
                policies.hasClasses()
                        ? policies.of(cache, () -> new String(key.keyBytes(), StandardCharsets.UTF_8))
                        : policies.ofCache(cache));
    }

    @Override
    public Promise tightest(String cache) {
        return ofClasses(of(policies.ofCache(cache)));
    }

    /** A class may match keys of any cache; what it leaves open is taken at its tightest default. */
    private Promise ofClasses(Promise ofCache) {
        Promise tightest = ofCache;
        for (var each : policies.settings().classes()) {
            var consistency = each.policy().consistency();
            Duration bound = each.policy().stalenessBound();
            if (consistency == null && bound == null) {
                continue;
            }
            Duration least = bound == null ? Policies.DEFAULT_STALENESS_BOUND : bound;
            tightest = tightest.tighter(Promise.bounded(least));
            if (consistency == dev.terrace.config.Consistency.STRICT) {
                Promise strict = Promise.strict(lease());
                tightest = tightest.boundNanos() < strict.boundNanos()
                        ? new Promise(Promise.Kind.STRICT, tightest.boundNanos())
                        : strict;
            }
        }
        return tightest;
    }

    @Override
    public Promise tightest() {
        Promise tightest = tightest("");
        for (String cache : policies.settings().caches().keySet()) {
            tightest = tightest.tighter(tightest(cache));
        }
        return tightest;
    }

    @Override
    public Duration lease() {
        return policies.settings().backplane().lease();
    }
}
