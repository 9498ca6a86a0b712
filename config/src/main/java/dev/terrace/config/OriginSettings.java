package dev.terrace.config;

import java.time.Duration;

/**
 * How an origin is protected: of one cache, or of all that name it.
 *
 * @param maxConcurrent most calls under way from this node; 0 for as many as there are threads for
 * @param adaptive whether the limit also follows what the origin can take, by how long its calls last
 * @param maxWait longest time that a foreground load may expect to wait for its turn; beyond that it is refused at once
 * @param ratePerSecond most calls a second from this node; 0 for any number
 * @param fleetRatePerSecond most calls a second from all nodes together, counted in L2; 0 for any number
 * @param burst most calls at once after a pause, where there is a rate
 * @param breaker when calls are stopped for a while; its {@code timeout} makes a call a slow one
 */
public record OriginSettings(
        int maxConcurrent,
        boolean adaptive,
        Duration maxWait,
        int ratePerSecond,
        int fleetRatePerSecond,
        int burst,
        CircuitBreakerSettings breaker) {
    /** No limits; calls are stopped for 5 s when 20 keys fail among 40 calls, or 80 % of the calls take more than 30 s. */
    public static OriginSettings defaults() {
        return new OriginSettings(
                0,
                false,
                Duration.ofMillis(500),
                0,
                0,
                1,
                new CircuitBreakerSettings(true, 20, Duration.ofSeconds(30), Duration.ofSeconds(5), 80));
    }
}
