package dev.terrace.core;

import dev.terrace.config.LoadingRules;
import dev.terrace.config.Policies;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * Says whether a fresh value should be loaded anew before it is over. Per cache. The first question costs a comparison or two and
 * allocates nothing; it is asked on every hit. Thread-safe.
 *
 * <p>Refresh-ahead is XFetch of Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015, with
 * beta 1: a reader refreshes when {@code now - loadTime * ln(random) >= freshUntil}. So a slow loader is asked earlier, and readers of a
 * fleet do not ask in step. The time is the key's own where it was measured lately, as in the paper, and else that of an average one.
 */
final class Freshening {
    /** Never. */
    static final Freshening NONE = new Freshening(false, LoadingRules.NEVER_EAGER, () -> 1);

    /** So many load times before its end the chance of a refresh is below one in a billion per read. */
    private static final int FARTHEST_LOADS = 21;

    private final boolean ahead;
    private final int earliestPercent;
    private final DoubleSupplier random;

    private Freshening(boolean ahead, int earliestPercent, DoubleSupplier random) {
        this.random = random;
        this.ahead = ahead;
        this.earliestPercent = earliestPercent;
    }

    static Freshening of(Policies policies, String cache) {
        return of(policies, cache, () -> ThreadLocalRandom.current().nextDouble());
    }

    /** @param random from 0 to 1 */
    static Freshening of(Policies policies, String cache, DoubleSupplier random) {
        boolean ahead = false;
        int earliest = LoadingRules.NEVER_EAGER;
        for (Policies.Policy policy : policies.allOf(cache)) {
            ahead |= policy.loading().refreshAhead();
            earliest = Math.min(earliest, policy.loading().eagerRefreshPercent());
        }
        return ahead || earliest < LoadingRules.NEVER_EAGER ? new Freshening(ahead, earliest, random) : NONE;
    }

    /** True when the cache refreshes anything early. */
    boolean isOn() {
        return ahead || earliestPercent < LoadingRules.NEVER_EAGER;
    }

    /** True when it matters how long loads of a key take. */
    boolean isAhead() {
        return ahead;
    }

    /** False when no class of the cache would refresh the value now. */
    boolean mayBeDue(long createdMillis, long freshUntilMillis, long nowMillis, LoadTime loadTime) {
        if (earliestPercent < LoadingRules.NEVER_EAGER
                && isEagerlyDue(earliestPercent, createdMillis, freshUntilMillis, nowMillis)) {
            return true;
        }
        return ahead && freshUntilMillis - nowMillis <= FARTHEST_LOADS * loadTime.mostMillis();
    }

    /**
     * Whether a value under {@code rules} is to be refreshed by this reader.
     *
     * @param loadMillis how long it takes to load it
     */
    boolean isDue(LoadingRules rules, long createdMillis, long freshUntilMillis, long nowMillis, long loadMillis) {
        if (rules.eagerRefreshPercent() < LoadingRules.NEVER_EAGER
                && isEagerlyDue(rules.eagerRefreshPercent(), createdMillis, freshUntilMillis, nowMillis)) {
            return true;
        }
        return rules.refreshAhead()
                && nowMillis - loadMillis * Math.log(Math.max(random.getAsDouble(), Double.MIN_NORMAL))
                        >= freshUntilMillis;
    }

    private static boolean isEagerlyDue(int percent, long createdMillis, long freshUntilMillis, long nowMillis) {
        return nowMillis - createdMillis >= (freshUntilMillis - createdMillis) / 100.0 * percent;
    }
}
