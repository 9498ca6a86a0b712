package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.health.HealthCheck;
import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkLoadException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.LadderMove;
import dev.terrace.api.LoaderException;
import dev.terrace.api.OriginState;
import dev.terrace.api.ReadOnlyException;
import dev.terrace.api.RejectedException;
import dev.terrace.api.Rung;
import dev.terrace.api.TerraceException;
import dev.terrace.api.WriteContext;
import dev.terrace.api.Writer;
import dev.terrace.config.CacheFailover;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.FailoverSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What each rung does to reads and writes, over tiers on the heap that fail on command. */
class LadderEnforcementTest {
    private static final Duration PIN = Duration.ofMinutes(1);

    private final ManualClock clock = ManualClock.startingNow();
    private final MetricRegistry metrics = new MetricRegistry();
    private HeapLocalTier local = new HeapLocalTier(clock);
    private HeapTier backup = new HeapTier(TierLevel.L3, clock);
    private HeapTier remoteHeap = new HeapTier(TierLevel.L2, clock);
    private FaultyTier remote = new FaultyTier(remoteHeap);
    private final List<LadderMove> moves = new CopyOnWriteArrayList<>();
    private final AtomicBoolean originWorks = new AtomicBoolean(true);
    private final CacheCoordinator coordinator = coordinator(true);
    private final Cache<String, String> cache = coordinator.cache("quotes", Codecs.stringKey(), Codecs.string());

    private static Map<String, CachePolicy> caches(Map<String, CachePolicy> base) {
        Map<String, CachePolicy> all = new HashMap<>(base);
        all.put(
                "sessions",
                new CachePolicy(Stack.TTL, null, null, null)
                        .withFailover(new CacheFailover(CacheFailover.MaxRung.REJECT, true)));
        all.put(
                "stubborn",
                new CachePolicy(Stack.TTL, Stack.STALE, null, null)
                        .withFailover(new CacheFailover(CacheFailover.MaxRung.LOCAL_ONLY, false)));
        return all;
    }

    private CacheCoordinator coordinator(boolean fallback) {
        Settings base = Stack.settings();
        FailoverSettings failover = new FailoverSettings(
                FailoverSettings.Strategy.GRACEFUL_DEGRADATION,
                fallback,
                Duration.ofMinutes(5),
                Duration.ofMillis(400),
                Duration.ofMillis(300),
                Duration.ofMillis(50));
        CircuitBreakerSettings breaker =
                new CircuitBreakerSettings(true, 5, Duration.ofSeconds(30), Duration.ofMillis(200), 50);
        return CacheCoordinator.builder()
                .settings(new Settings(
                        base.localCache(),
                        base.distributedCache(),
                        base.backupStorage(),
                        breaker,
                        failover,
                        base.loading(),
                        base.limits(),
                        caches(base.caches()),
                        base.classes(),
                        base.server()))
                .clock(clock)
                .metrics(metrics)
                .nodeId(1)
                .tier(local)
                .tier(remote)
                .tier(backup)
                .ladderListener(moves::add)
                .originCheck(new HealthCheck() {
                    @Override
                    protected Result check() {
                        return originWorks.get() ? Result.healthy() : Result.unhealthy("origin is out");
                    }
                })
                .build();
    }

    @AfterEach
    void close() {
        coordinator.close();
    }

    private void awaitRung(Rung rung) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(coordinator.ladder().rung()).isEqualTo(rung));
    }

    private void breakRemote() {
        remote.failWith(Unavailability.TIMEOUT);
        for (int i = 0; i < 10; i++) {
            cache.get("missing" + i);
        }
        awaitRung(Rung.LOCAL_ONLY);
    }

    @Test
    @Tag("F67")
    void on_local_only_l2_is_left_alone_and_handed_what_it_missed_when_it_is_back() {
        cache.put("k", "old");
        breakRemote();
        assertThat(coordinator.ladder().cause()).contains("l2", "circuit breaker");
        assertThat(coordinator.ladder().lift()).isNotEmpty();
        long before = metrics.counter("tier.l2.skipped.breaker_open").getCount();
        assertThat(cache.put("k", "new").missed()).containsExactly(TierLevel.L2);
        assertThat(cache.get("k")).isEqualTo("new");
        assertThat(cache.get("elsewhere")).isNull();
        assertThat(metrics.counter("tier.l2.skipped.breaker_open").getCount()).isGreaterThan(before);
        assertThat(cache.get("loadable", key -> "loaded")).isEqualTo("loaded");

        remote.release();
        awaitRung(Rung.NORMAL);
        assertThat(remoteHeap.get(Stack.key("k")).toCompletableFuture().join().toString())
                .as("handed over before L2 is read again")
                .contains(Stack.key("k").toString());
        await().untilAsserted(() ->
                assertThat(moves).extracting(LadderMove::to).containsExactly(Rung.LOCAL_ONLY, Rung.NORMAL));
        assertThat(metrics.counter("ladder.moves").getCount()).isEqualTo(2);
        assertThat(coordinator.ladder().spent().get(Rung.LOCAL_ONLY)).isPositive();
    }

    @Test
    void while_l2_is_left_out_nothing_but_a_probe_now_and_then_reaches_it() {
        breakRemote();
        int calls = remote.calls();
        for (int i = 0; i < 1_000; i++) {
            cache.get("missing" + i);
            cache.put("k" + i, "v");
        }
        assertThat(remote.calls() - calls).isLessThan(50);
        remote.release();
        awaitRung(Rung.NORMAL);
    }

    @Test
    void on_read_only_writes_are_refused_and_reads_go_on() {
        cache.put("k", "v");
        coordinator.pinLadder(Rung.READ_ONLY, PIN, "anna", "maintenance of L2");
        assertThat(cache.get("k")).isEqualTo("v");
        assertThat(cache.get("missing", key -> "loaded")).isEqualTo("loaded");
        assertThatThrownBy(() -> cache.put("k", "w"))
                .isInstanceOf(ReadOnlyException.class)
                .hasMessageContaining("quotes")
                .hasMessageContaining("read-only")
                .hasMessageContaining("maintenance of L2");
        assertThatThrownBy(() -> cache.invalidate("k")).isInstanceOf(ReadOnlyException.class);
        assertThatThrownBy(() -> cache.putIfAbsent("k", "w")).isInstanceOf(ReadOnlyException.class);
        assertThatThrownBy(() -> cache.increment("n", 1)).isInstanceOf(ReadOnlyException.class);
        assertThatThrownBy(cache::clear).isInstanceOf(ReadOnlyException.class);
        assertThat(cache.get("k")).isEqualTo("v");
    }

    @Test
    void on_direct_reads_go_to_the_loader_and_copies_are_only_for_when_it_fails() {
        cache.put("k", "v");
        coordinator.pinLadder(Rung.DIRECT, PIN, "anna", "test");
        AtomicInteger loads = new AtomicInteger();
        for (int i = 1; i <= 3; i++) {
            assertThat(cache.get("k", key -> "from the origin, no " + loads.incrementAndGet()))
                    .isEqualTo("from the origin, no " + i);
        }
        assertThat(cache.read("k").freshness()).isEqualTo(Freshness.STALE);
        assertThat(cache.get("k", key -> {
                    throw new IllegalStateException("origin is out");
                }))
                .startsWith("from the origin");
        assertThat(cache.getAll(List.of("l", "m"), keys -> Map.of("l", "x", "m", "y")))
                .containsEntry("l", "x")
                .containsEntry("m", "y");
        assertThatThrownBy(() -> cache.put("k", "w")).isInstanceOf(ReadOnlyException.class);
    }

    @Test
    void on_direct_what_only_l3_holds_is_answered_when_the_loader_fails_and_flagged() {
        cache.put("k", "v");
        await().untilAsserted(() -> assertThat(
                        backup.get(Stack.key("k")).toCompletableFuture().join())
                .isInstanceOf(Lookup.Hit.class));
        coordinator.pinLadder(Rung.DIRECT, PIN, "anna", "test");
        local.drop(Stack.key("k"));
        assertThat(cache.get("k", key -> {
                    throw new IllegalStateException("origin is out");
                }))
                .isEqualTo("v");
        local.drop(Stack.key("k"));
        assertThat(cache.read("k").freshness()).isEqualTo(Freshness.STALE);
        assertThatThrownBy(() -> cache.get("nowhere", key -> {
                    throw new IllegalStateException("origin is out");
                }))
                .isInstanceOf(LoaderException.class);
    }

    @Test
    void on_direct_many_keys_that_only_l3_holds_are_answered_when_the_loader_fails() {
        cache.put("a", "1");
        cache.put("b", "2");
        await().untilAsserted(() -> assertThat(
                        backup.get(Stack.key("b")).toCompletableFuture().join())
                .isInstanceOf(Lookup.Hit.class));
        coordinator.pinLadder(Rung.DIRECT, PIN, "anna", "test");
        local.drop(Stack.key("a"));
        local.drop(Stack.key("b"));
        assertThat(cache.getAll(List.of("a", "b"), keys -> {
                    throw new IllegalStateException("origin is out");
                }))
                .containsOnly(Map.entry("a", "1"), Map.entry("b", "2"));
        local.drop(Stack.key("a"));
        assertThatThrownBy(() -> cache.getAll(List.of("a", "nowhere"), keys -> {
                    throw new IllegalStateException("origin is out");
                }))
                .isInstanceOfSatisfying(BulkLoadException.class, failed -> {
                    assertThat(failed.loaded()).isEqualTo(Map.of("a", "1"));
                    assertThat(failed.failed()).containsOnlyKeys("nowhere");
                });
        assertThat(cache.getAll(List.of("a")))
                .as("without a loader, only what is fresh")
                .isEmpty();
    }

    @Test
    @Tag("F68")
    void on_reject_everything_is_refused_at_once_with_the_time_to_try_again() {
        cache.put("k", "v");
        coordinator.pinLadder(Rung.REJECT, PIN, "anna", "test");
        long started = System.nanoTime();
        for (int i = 0; i < 1_000; i++) {
            assertThatThrownBy(() -> cache.get("k", key -> "loaded"))
                    .isInstanceOfSatisfying(
                            RejectedException.class,
                            refused -> assertThat(refused.retryAfter()).isPositive());
        }
        assertThat(Duration.ofNanos((System.nanoTime() - started) / 1_000)).isLessThan(Duration.ofMillis(5));
        assertThatThrownBy(() -> cache.getAll(List.of("k"))).isInstanceOf(RejectedException.class);
        assertThatThrownBy(() -> cache.put("k", "w")).isInstanceOf(RejectedException.class);
    }

    @Test
    void a_pin_needs_a_reason_and_a_time_and_ends_when_it_is_removed() {
        assertThatThrownBy(() -> coordinator.pinLadder(Rung.DIRECT, PIN, "anna", " "))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("reason");
        assertThatThrownBy(() -> coordinator.pinLadder(Rung.DIRECT, Duration.ofDays(8), "anna", "test"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("7 days");
        coordinator.pinLadder(Rung.LOCAL_ONLY, PIN, "anna", "test\nof lines");
        assertThat(coordinator.ladder().pin()).satisfies(pin -> {
            assertThat(pin.by()).isEqualTo("anna");
            assertThat(pin.why()).isEqualTo("test of lines");
        });
        assertThat(coordinator.ladder().lift()).contains("pin");
        coordinator.unpinLadder("anna");
        awaitRung(Rung.NORMAL);
        await().untilAsserted(
                        () -> assertThat(moves).extracting(LadderMove::pinned).containsExactly(true, false));
    }

    @Test
    void what_is_known_of_every_part_is_told() {
        originWorks.set(false);
        await().untilAsserted(() -> assertThat(coordinator.ladder().signals())
                .containsEntry("origin", "down: origin is out")
                .containsEntry("l2", "up"));
        assertThat(coordinator.ladder().rung()).as("nobody needs it yet").isEqualTo(Rung.NORMAL);
        assertThat(coordinator.healthChecks().runHealthCheck("terrace.origin").isHealthy())
                .isFalse();
        assertThat(coordinator.healthChecks().runHealthCheck("terrace.l2").isHealthy())
                .isTrue();
    }

    @Test
    void without_fallback_a_lost_l2_means_that_the_loader_is_asked() {
        local = new HeapLocalTier(clock);
        backup = new HeapTier(TierLevel.L3, clock);
        remoteHeap = new HeapTier(TierLevel.L2, clock);
        remote = new FaultyTier(remoteHeap);
        try (CacheCoordinator alone = coordinator(false)) {
            Cache<String, String> quotes = alone.cache("quotes", Codecs.stringKey(), Codecs.string());
            quotes.put("k", "v");
            remote.failWith(Unavailability.TIMEOUT);
            for (int i = 0; i < 10; i++) {
                quotes.get("missing" + i);
            }
            await().untilAsserted(() -> assertThat(alone.ladder().rung()).isEqualTo(Rung.DIRECT));
            assertThat(quotes.get("k", key -> "from the origin")).isEqualTo("from the origin");
            originWorks.set(false);
            await().untilAsserted(() -> assertThat(alone.ladder().rung()).isEqualTo(Rung.REJECT));
            originWorks.set(true);
            remote.release();
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(alone.ladder().rung()).isEqualTo(Rung.NORMAL));
            assertThat(quotes.get("k")).isEqualTo("from the origin");
        }
    }

    @Test
    void on_direct_writes_go_to_the_writer_and_nowhere_else_are_they_taken() {
        Map<String, String> origin = new ConcurrentHashMap<>();
        Cache<String, String> written =
                coordinator.cache("plain", Codecs.stringKey(), Codecs.string(), new Writer<String, String>() {
                    @Override
                    public void write(String key, String value, WriteContext context) {
                        origin.put(key, value);
                    }

                    @Override
                    public void delete(String key, WriteContext context) {
                        origin.remove(key);
                    }
                });
        coordinator.pinLadder(Rung.DIRECT, PIN, "anna", "test");
        assertThat(written.put("k", "v").origin()).isEqualTo(OriginState.WRITTEN);
        assertThat(origin).containsEntry("k", "v");
        written.remove("k");
        assertThat(origin).isEmpty();
        assertThatThrownBy(() -> written.invalidate("k")).isInstanceOf(ReadOnlyException.class);
        assertThatThrownBy(() -> cache.put("k", "v")).isInstanceOf(ReadOnlyException.class);
        coordinator.pinLadder(Rung.READ_ONLY, PIN, "anna", "test");
        assertThatThrownBy(() -> written.put("k", "w")).isInstanceOf(ReadOnlyException.class);
        assertThat(origin).isEmpty();
    }

    @Test
    void on_direct_nobody_waits_for_a_loader_longer_than_for_a_direct_request() {
        coordinator.pinLadder(Rung.DIRECT, PIN, "anna", "test");
        CountDownLatch never = new CountDownLatch(1);
        long started = System.nanoTime();
        assertThatThrownBy(() -> cache.get("k", key -> {
                    never.await();
                    return "late";
                }))
                .isInstanceOf(LoaderException.class)
                .hasMessageContaining("400 ms");
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofMillis(1_800));
        never.countDown();
    }

    @Test
    void a_cache_goes_down_as_far_as_it_may_and_no_further() {
        Cache<String, String> stubborn = coordinator.cache("stubborn", Codecs.stringKey(), Codecs.string());
        stubborn.put("k", "v");
        for (Rung rung : List.of(Rung.READ_ONLY, Rung.DIRECT, Rung.REJECT)) {
            coordinator.pinLadder(rung, PIN, "anna", "test");
            assertThat(stubborn.put("k", rung.text()).missed()).containsExactly(TierLevel.L2);
            assertThat(stubborn.get("k")).isEqualTo(rung.text());
            assertThatThrownBy(() -> cache.put("k", "w")).isInstanceOf(TerraceException.class);
        }
        Cache<String, String> opened = coordinator.cache("sessions", Codecs.stringKey(), Codecs.string());
        assertThatThrownBy(() -> opened.get("k")).isInstanceOf(RejectedException.class);
    }

    @Test
    void what_is_never_stale_is_rather_not_answered() {
        Cache<String, String> sessions = coordinator.cache("sessions", Codecs.stringKey(), Codecs.string());
        sessions.put("k", "v");
        cache.put("k", "v");
        coordinator.pinLadder(Rung.READ_ONLY, PIN, "anna", "test");
        assertThat(sessions.get("k")).as("fresh").isEqualTo("v");
        coordinator.pinLadder(Rung.DIRECT, PIN, "anna", "test");
        assertThat(cache.read("k").value()).isEqualTo("v");
        assertThat(sessions.read("k").value()).isNull();
        assertThatThrownBy(() -> sessions.get("k", key -> {
                    throw new IllegalStateException("origin is out");
                }))
                .isInstanceOf(LoaderException.class);
        assertThat(sessions.get("k", key -> "loaded")).isEqualTo("loaded");
    }

    @Test
    void on_read_only_stale_values_are_answered_before_the_origin_is_asked_one_by_one_and_together() {
        cache.put("k", "old");
        clock.advance(Stack.TTL.plusSeconds(1));
        coordinator.pinLadder(Rung.READ_ONLY, PIN, "anna", "test");
        CountDownLatch answered = new CountDownLatch(1);
        assertThat(cache.getAll(List.of("k"), keys -> {
                    answered.await();
                    return Map.of("k", "new");
                }))
                .containsEntry("k", "old");
        answered.countDown();
        assertThat(cache.read("k").value()).isIn("old", "new");
    }

    @Test
    @Tag("F67")
    void calls_that_fail_say_that_the_origin_is_down_whatever_its_check_says() {
        for (int i = 0; i < 60; i++) {
            assertThatThrownBy(() -> cache.get("missing", key -> {
                        throw new IllegalStateException("origin is out");
                    }))
                    .isInstanceOf(TerraceException.class);
        }
        await().untilAsserted(() ->
                assertThat(coordinator.ladder().signals()).as("one bad key").containsEntry("origin", "up"));
        for (int i = 0; i < 60; i++) {
            int one = i;
            assertThatThrownBy(() -> cache.get("missing" + one, key -> {
                        throw new IllegalStateException("origin is out");
                    }))
                    .isInstanceOf(TerraceException.class);
        }
        await().untilAsserted(() ->
                assertThat(coordinator.ladder().signals().get("origin")).startsWith("down: failed too often: quotes"));
    }
}
