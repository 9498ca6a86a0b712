package dev.terrace.config;

import java.time.Duration;

/**
 * The breakers around L2 and L3.
 *
 * @param enabled whether they open at all
 * @param failureThreshold this many failures among the last {@code 2 * failureThreshold} calls open one
 * @param timeout a call that takes longer is slow, if the tier's own deadline has not ended it before
 * @param resetTimeout time a breaker stays open before it lets a probe through
 * @param slowCallPercent this share of the calls being slow, in percent, opens one too
 */
public record CircuitBreakerSettings(
        boolean enabled, int failureThreshold, Duration timeout, Duration resetTimeout, int slowCallPercent) {
    /** 5 failures among 10 calls, or 50 % slower than 30 s; probe after 5 s. */
    public static CircuitBreakerSettings defaults() {
        return new CircuitBreakerSettings(true, 5, Duration.ofSeconds(30), Duration.ofSeconds(5), 50);
    }
}
