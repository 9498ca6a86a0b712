package dev.terrace.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a cache or class loads; null means "as the level above says".
 *
 * @param softTimeout longest wait for a loader of whoever has something stale to answer
 * @param hardTimeout longest wait for a loader of whoever has nothing
 * @param staleWhileRevalidate time past the time to live for which a stale value is answered at once, while one load runs
 * @param failSafeThrottle after a load that failed or took too long, time for which stale values are answered without another try
 * @param refreshAhead whether values are loaded anew at random before they are over, the later and the slower the loader the likelier
 * @param eagerRefreshPercent share of the time to live after which the next reader sets off a load and is answered at once
 * @param ttlJitterPercent most that is taken off a time to live, by key
 * @param sliding whether a read value is fresh for its whole time to live again
 */
public record LoadingPolicy(
        @Nullable Duration softTimeout,
        @Nullable Duration hardTimeout,
        @Nullable Duration staleWhileRevalidate,
        @Nullable Duration failSafeThrottle,
        @Nullable Boolean refreshAhead,
        @Nullable Integer eagerRefreshPercent,
        @Nullable Integer ttlJitterPercent,
        @Nullable Boolean sliding) {
    /** Nothing set. */
    public static final LoadingPolicy INHERIT = new LoadingPolicy(null, null, null, null, null, null, null);

    /** Without a word about sliding. */
    public LoadingPolicy(
            @Nullable Duration softTimeout,
            @Nullable Duration hardTimeout,
            @Nullable Duration staleWhileRevalidate,
            @Nullable Duration failSafeThrottle,
            @Nullable Boolean refreshAhead,
            @Nullable Integer eagerRefreshPercent,
            @Nullable Integer ttlJitterPercent) {
        this(
                softTimeout,
                hardTimeout,
                staleWhileRevalidate,
                failSafeThrottle,
                refreshAhead,
                eagerRefreshPercent,
                ttlJitterPercent,
                null);
    }

    /** This policy, whose values slide, or do not. */
    public LoadingPolicy withSliding(@Nullable Boolean other) {
        return new LoadingPolicy(
                softTimeout,
                hardTimeout,
                staleWhileRevalidate,
                failSafeThrottle,
                refreshAhead,
                eagerRefreshPercent,
                ttlJitterPercent,
                other);
    }

    /** This policy with other timeouts. */
    public LoadingPolicy withTimeouts(@Nullable Duration soft, @Nullable Duration hard) {
        return new LoadingPolicy(
                soft,
                hard,
                staleWhileRevalidate,
                failSafeThrottle,
                refreshAhead,
                eagerRefreshPercent,
                ttlJitterPercent,
                sliding);
    }

    /** This policy, answering stale values for so long while one load runs. */
    public LoadingPolicy withStaleWhileRevalidate(@Nullable Duration time) {
        return new LoadingPolicy(
                softTimeout,
                hardTimeout,
                time,
                failSafeThrottle,
                refreshAhead,
                eagerRefreshPercent,
                ttlJitterPercent,
                sliding);
    }

    /** This policy with another throttle. */
    public LoadingPolicy withFailSafeThrottle(@Nullable Duration time) {
        return new LoadingPolicy(
                softTimeout,
                hardTimeout,
                staleWhileRevalidate,
                time,
                refreshAhead,
                eagerRefreshPercent,
                ttlJitterPercent,
                sliding);
    }

    /** This policy, refreshing before values are over: at random, from a share of their time on, or both. */
    public LoadingPolicy withRefresh(@Nullable Boolean ahead, @Nullable Integer eagerPercent) {
        return new LoadingPolicy(
                softTimeout,
                hardTimeout,
                staleWhileRevalidate,
                failSafeThrottle,
                ahead,
                eagerPercent,
                ttlJitterPercent,
                sliding);
    }

    /** This policy with another jitter. */
    public LoadingPolicy withTtlJitter(@Nullable Integer percent) {
        return new LoadingPolicy(
                softTimeout,
                hardTimeout,
                staleWhileRevalidate,
                failSafeThrottle,
                refreshAhead,
                eagerRefreshPercent,
                percent,
                sliding);
    }
}
