package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.LoaderException;
import dev.terrace.api.RejectedException;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.OriginPolicy;
import dev.terrace.config.OriginSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Loads that an origin's limits refuse, through whole coordinators. */
class OriginGuardTest {
    private static final CachePolicy STALE_ALLOWED = new CachePolicy(
                    Duration.ofMinutes(1), Duration.ofHours(1), Duration.ZERO, null)
            .withLoading(LoadingPolicy.INHERIT.withFailSafeThrottle(Duration.ZERO));

    private final ManualClock clock = ManualClock.startingNow();
    private final HeapTier remote = new HeapTier(TierLevel.L2, clock);
    private final List<CacheCoordinator> open = new ArrayList<>();
    private final MetricRegistry metrics = new MetricRegistry();

    private static OriginSettings origin(int maxConcurrent, int rate, int fleetRate, int burst, int failures) {
        return origin(maxConcurrent, Duration.ZERO, rate, fleetRate, burst, failures);
    }

    private static OriginSettings origin(
            int maxConcurrent, Duration maxWait, int rate, int fleetRate, int burst, int failures) {
        return new OriginSettings(
                maxConcurrent,
                false,
                maxWait,
                rate,
                fleetRate,
                burst,
                new CircuitBreakerSettings(true, failures, Duration.ofSeconds(30), Duration.ofMinutes(1), 80));
    }

    private CacheCoordinator node(OriginSettings market, MetricRegistry registry) {
        CachePolicy policy = STALE_ALLOWED.withOrigin(new OriginPolicy("market", null));
        CacheCoordinator coordinator = CacheCoordinator.builder()
                .settings(Settings.defaults()
                        .withCaches(Map.of("quotes", policy, "trades", policy, "others", STALE_ALLOWED))
                        .withOrigins(Map.of("market", market)))
                .clock(clock)
                .metrics(registry)
                .tier(remote)
                .build();
        open.add(coordinator);
        return coordinator;
    }

    private static Cache<String, String> cache(CacheCoordinator coordinator, String name) {
        return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
    }

    @AfterEach
    void close() {
        open.forEach(CacheCoordinator::close);
    }

    private long count(String metric) {
        return metrics.counter(metric).getCount();
    }

    @Test
    @Tag("F68")
    void aFullOriginRefusesAtOnceForAllCachesThatShareItAndNoOthers() throws Exception {
        CacheCoordinator node = node(origin(1, 0, 0, 1, 20), metrics);
        cache(node, "trades").put("old", "stale value");
        clock.advance(Duration.ofMinutes(2));
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> first = hanging(node, goOn);
        RejectedException refused = catchThrowableOfType(
                RejectedException.class, () -> cache(node, "trades").get("k", key -> "never"));
        assertThat(refused)
                .hasMessageContaining("'trades'")
                .hasMessageContaining("'market' has 1 calls under way, which is its limit")
                .hasMessageContaining("try again");
        assertThat(refused.retryAfter()).isPositive();
        assertThat(cache(node, "trades").read("old", key -> "never"))
                .satisfies(read -> assertThat(read.value()).isEqualTo("stale value"))
                .satisfies(read -> assertThat(read.freshness()).isEqualTo(Freshness.STALE));
        assertThat(cache(node, "others").get("k", key -> "another origin")).isEqualTo("another origin");
        assertThat(count("cache.trades.loads.refused")).isEqualTo(2);
        assertThat(count("origin.market.refused.concurrency")).isEqualTo(2);
        assertThat(cache(node, "trades").explain("k").decision())
                .contains("origin 'market': 1 calls under way of 1, breaker closed");
        goOn.countDown();
        assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("v");
        await().untilAsserted(() -> assertThat(
                        metrics.getGauges().get("origin.market.under_way").getValue())
                .isEqualTo(0));
        assertThat(cache(node, "trades").get("k", key -> "now")).isEqualTo("now");
    }

    @Test
    @Tag("F68")
    void withoutAWaitAFullOriginRefusesWithinMillisecondsAndAsksForNoLease() throws Exception {
        CacheCoordinator node = node(origin(1, 0, 0, 1, 20), metrics);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> first = hanging(node, goOn);
        int claims = remote.leases().claims();
        long[] nanos = new long[200];
        for (int i = 0; i < nanos.length; i++) {
            String key = "k" + i;
            long began = System.nanoTime();
            assertThatThrownBy(() -> cache(node, "trades").get(key, same -> "never"))
                    .isInstanceOf(RejectedException.class);
            nanos[i] = System.nanoTime() - began;
        }
        Arrays.sort(nanos);
        assertThat(Duration.ofNanos(nanos[nanos.length / 2])).isLessThan(Duration.ofMillis(5));
        assertThat(remote.leases().claims()).isEqualTo(claims);
        goOn.countDown();
        assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("v");
    }

    @Test
    @Tag("F68")
    void whoQueuesBeforeAnOriginThatHangsIsToldWhenItsWaitIsOver() throws Exception {
        Duration wait = Duration.ofMillis(300);
        CacheCoordinator node = node(origin(1, wait, 0, 0, 1, 20), metrics);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> first = hanging(node, goOn);
        long began = System.nanoTime();
        assertThatThrownBy(() -> cache(node, "trades").get("k", key -> "never"))
                .isInstanceOf(RejectedException.class)
                .hasMessageContaining("1 calls under way");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(wait);
        assertThat(first).as("no place was free meanwhile").isNotDone();
        goOn.countDown();
        assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("v");
    }

    private CompletableFuture<String> hanging(CacheCoordinator node, CountDownLatch goOn) {
        CompletableFuture<String> first = cache(node, "quotes")
                .async()
                .get("k", key -> {
                    assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
                    return "v";
                })
                .toCompletableFuture();
        await().until(() -> count("cache.quotes.loads") == 1);
        return first;
    }

    @Test
    void aBrokenOriginIsNotAskedAndNoLeaseIsEither() {
        CacheCoordinator node = node(origin(0, 0, 0, 1, 5), metrics);
        for (int i = 0; i < 5; i++) {
            String failing = "failing-" + i;
            assertThatThrownBy(() -> cache(node, "quotes").get(failing, key -> {
                        throw new IllegalStateException("down");
                    }))
                    .isInstanceOf(LoaderException.class);
        }
        await().untilAsserted(() -> assertThat(
                        metrics.getGauges().get("origin.market.breaker").getValue())
                .isEqualTo("open"));
        int claims = remote.leases().claims();
        RejectedException refused = catchThrowableOfType(
                RejectedException.class, () -> cache(node, "trades").get("k", key -> "never"));
        assertThat(refused).hasMessageContaining("failed too often");
        assertThat(refused.retryAfter()).isBetween(Duration.ofSeconds(50), Duration.ofMinutes(1));
        assertThat(remote.leases().claims()).isEqualTo(claims);
        assertThat(cache(node, "quotes").explain("k").decision()).contains("breaker open");
        assertThat(cache(node, "others").get("k", key -> "another origin")).isEqualTo("another origin");
    }

    @Test
    @Tag("F76")
    void anErrorInALoaderLeavesNoPlaceAndNoLeaseBehind() {
        CacheCoordinator node = node(origin(1, 0, 0, 1, 20), metrics);
        for (Error error : List.of(new OutOfMemoryError("test"), new StackOverflowError())) {
            assertThatThrownBy(() -> cache(node, "quotes").get("k", key -> {
                        throw error;
                    }))
                    .isInstanceOf(LoaderException.class)
                    .hasCause(error);
            await().untilAsserted(() -> assertThat(
                            metrics.getGauges().get("origin.market.under_way").getValue())
                    .isEqualTo(0));
            await().until(() -> remote.leases().owner(CacheKey.of("quotes", "k")) == null);
        }
        assertThat(cache(node, "quotes").get("k", key -> "fine")).isEqualTo("fine");
    }

    private int passed(Cache<String, String> cache, String prefix, int asked) {
        int passed = 0;
        for (int i = 0; i < asked; i++) {
            try {
                cache.get(prefix + i, key -> "v");
                passed++;
            } catch (RejectedException refused) {
                assertThat(refused).hasMessageContaining("calls a second");
                assertThat(refused.retryAfter()).isPositive();
            }
        }
        return passed;
    }

    @Test
    @Tag("F69")
    void theRateOfTheFleetIsOneForAllNodes() {
        CacheCoordinator one = node(origin(0, 0, 10, 6, 20), metrics);
        CacheCoordinator two = node(origin(0, 0, 10, 6, 20), new MetricRegistry());
        assertThat(passed(cache(one, "quotes"), "a", 4) + passed(cache(two, "trades"), "b", 10))
                .isEqualTo(6);
        clock.advance(Duration.ofMillis(300));
        assertThat(passed(cache(two, "quotes"), "c", 10) + passed(cache(one, "quotes"), "d", 10))
                .isEqualTo(3);
        assertThat(count("origin.market.refused.fleet_rate")).isPositive();
        assertThat(passed(cache(one, "others"), "e", 20)).isEqualTo(20);
    }

    @Test
    void withoutL2ANodeTakesItsShare() {
        CacheCoordinator node = node(origin(0, 0, 1, 5, 20), metrics);
        remote.close();
        assertThat(passed(cache(node, "quotes"), "a", 10)).isEqualTo(5);
        assertThat(count("origins.fleet_rate.local")).isPositive();
    }

    @Test
    void whatIsLetInAndThenRefusedByTheRateOfTheFleetKeepsNoPlace() {
        CacheCoordinator node = node(origin(8, 0, 10, 1, 20), metrics);
        assertThat(passed(cache(node, "quotes"), "a", 4)).isEqualTo(1);
        assertThat(count("origin.market.refused.fleet_rate")).isEqualTo(3);
        await().untilAsserted(() -> assertThat(
                        metrics.getGauges().get("origin.market.under_way").getValue())
                .isEqualTo(0));
        clock.advance(Duration.ofMillis(200));
        assertThat(passed(cache(node, "quotes"), "b", 1)).isEqualTo(1);
    }

    @Test
    @Tag("F68")
    void aRefreshThatNobodyWaitsForLeavesThePlacesThatAreLeftToCallersWhoWait() throws Exception {
        CachePolicy revalidates = STALE_ALLOWED.withLoading(LoadingPolicy.INHERIT
                .withFailSafeThrottle(Duration.ZERO)
                .withStaleWhileRevalidate(Duration.ofHours(1)));
        CacheCoordinator node = CacheCoordinator.builder()
                .settings(Settings.defaults()
                        .withCaches(Map.of("quotes", revalidates.withOrigin(new OriginPolicy("market", null))))
                        .withOrigins(Map.of("market", origin(4, 0, 0, 1, 20))))
                .clock(clock)
                .metrics(metrics)
                .tier(remote)
                .build();
        open.add(node);
        Cache<String, String> quotes = cache(node, "quotes");
        quotes.put("old", "stale value");
        clock.advance(Duration.ofMinutes(2));
        CountDownLatch goOn = new CountDownLatch(1);
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(quotes.async()
                    .get("k" + i, key -> {
                        assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
                        return "v";
                    })
                    .toCompletableFuture());
        }
        await().untilAsserted(() -> assertThat(
                        metrics.getGauges().get("origin.market.under_way").getValue())
                .isEqualTo(3));
        assertThat(quotes.get("old", key -> "never")).isEqualTo("stale value");
        await().untilAsserted(() ->
                assertThat(count("origin.market.refused.concurrency")).isEqualTo(1));
        assertThat(quotes.get("somebody waits for this", key -> "the last place"))
                .isEqualTo("the last place");
        goOn.countDown();
        for (CompletableFuture<String> each : waiting) {
            assertThat(each.get(20, TimeUnit.SECONDS)).isEqualTo("v");
        }
    }
}
