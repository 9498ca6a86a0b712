package dev.terrace.config;

import java.time.Duration;

/**
 * A complete {@link LoadingPolicy}.
 *
 * @param softTimeout longest wait of whoever has something stale; the hard timeout when there is no soft one
 * @param hardTimeout longest wait of whoever has nothing; at most {@code loading.timeout}
 * @param staleWhileRevalidate zero when stale values are not answered before the loader was waited for
 * @param failSafeThrottle zero when every reader tries again
 * @param refreshAhead whether values are loaded anew at random before they are over
 * @param eagerRefreshPercent share of the time to live after which a reader sets off a load; 100 for never
 * @param ttlJitterPercent most that is taken off a time to live; zero for nothing
 * @param sliding whether a read value is fresh for its whole time to live again
 */
public record LoadingRules(
        Duration softTimeout,
        Duration hardTimeout,
        Duration staleWhileRevalidate,
        Duration failSafeThrottle,
        boolean refreshAhead,
        int eagerRefreshPercent,
        int ttlJitterPercent,
        boolean sliding) {
    /** The share that stands for "never". */
    public static final int NEVER_EAGER = 100;

    /** The throttle when none is set. */
    public static final Duration DEFAULT_THROTTLE = Duration.ofSeconds(1);

    /** What holds when nothing is set. */
    public static LoadingRules defaults(LoadingSettings settings) {
        return new LoadingRules(
                settings.timeout(), settings.timeout(), Duration.ZERO, DEFAULT_THROTTLE, false, NEVER_EAGER, 0, false);
    }

    /** These rules with what {@code over} sets. No loader is waited for longer than {@code most}. */
    LoadingRules with(LoadingPolicy over, Duration most) {
        Duration hard = shorter(over.hardTimeout() != null ? over.hardTimeout() : hardTimeout, most);
        // Without a soft timeout of its own, the soft one is the hard one, also when that changes.
        Duration inherited = softTimeout.equals(hardTimeout) ? hard : softTimeout;
        return new LoadingRules(
                shorter(over.softTimeout() != null ? over.softTimeout() : inherited, hard),
                hard,
                over.staleWhileRevalidate() != null ? over.staleWhileRevalidate() : staleWhileRevalidate,
                over.failSafeThrottle() != null ? over.failSafeThrottle() : failSafeThrottle,
                over.refreshAhead() != null ? over.refreshAhead() : refreshAhead,
                over.eagerRefreshPercent() != null ? over.eagerRefreshPercent() : eagerRefreshPercent,
                over.ttlJitterPercent() != null ? over.ttlJitterPercent() : ttlJitterPercent,
                over.sliding() != null ? over.sliding() : sliding);
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    /** True when readers may set off loads before a value is over. */
    public boolean refreshesEarly() {
        return refreshAhead || eagerRefreshPercent < NEVER_EAGER;
    }
}
