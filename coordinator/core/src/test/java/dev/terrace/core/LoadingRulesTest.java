package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Freshness;
import dev.terrace.api.Loader;
import dev.terrace.api.LoaderException;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Settings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How long callers wait for a loader, what they are told instead, and when a loader is asked though nobody waits. */
@Tag("F64")
class LoadingRulesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final LoadingSettings PATIENT = new LoadingSettings(PATIENCE, 4);
    private static final Duration SOON = Duration.ofMillis(30);
    private static final Duration LATER = Duration.ofMillis(300);

    /** Long enough for a loader that does not wait, on a machine that does much else. */
    private static final Duration MUCH_LATER = Duration.ofSeconds(2);

    /** A loader that waits until it is told to go on, and counts its calls. */
    private static final class Slow implements Loader<String, String> {
        final CountDownLatch goOn = new CountDownLatch(1);
        final AtomicInteger calls = new AtomicInteger();
        private final String value;

        Slow(String value) {
            this.value = value;
        }

        @Override
        public String load(String key) throws InterruptedException {
            calls.incrementAndGet();
            assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
            return value;
        }
    }

    private static final Loader<String, String> DOWN = key -> {
        throw new IOException("down");
    };

    private static Stack stack(LoadingPolicy policy) {
        return Stack.ofThree(Stack.loadingBy(policy, PATIENT));
    }

    private static void putAndLetGoStale(Stack stack) {
        stack.quotes().put("k", "old");
        stack.clock.advance(Stack.TTL);
    }

    @Test
    void afterTheSoftTimeoutTheStaleValueIsAnsweredAndTheLoaderGoesOn() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withTimeouts(SOON, PATIENCE))) {
            putAndLetGoStale(stack);
            Slow slow = new Slow("new");
            ReadResult<String> stale = stack.quotes().read("k", slow);
            assertThat(stale.value()).isEqualTo("old");
            assertThat(stale.freshness()).isEqualTo(Freshness.STALE);
            // The next ones have no reason to wait as long again, or to ask again.
            assertThat(stack.quotes().get("k", slow)).isEqualTo("old");
            slow.goOn.countDown();
            await().untilAsserted(() -> assertThat(stack.quotes().get("k")).isEqualTo("new"));
            assertThat(slow.calls).hasValue(1);
            assertThat(stack.counter("cache.quotes.load.soft_timeouts")).isEqualTo(1);
        }
    }

    @Test
    void theSoftTimeoutIsNothingForWhoHasNothingStale() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withTimeouts(SOON, PATIENCE))) {
            Slow slow = new Slow("new");
            CompletableFuture<String> waiter =
                    stack.quotes().async().get("k", slow).toCompletableFuture();
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.load.soft_timeouts")).isEqualTo(1));
            assertThat(waiter).isNotDone();
            slow.goOn.countDown();
            assertThat(waiter).succeedsWithin(PATIENCE).isEqualTo("new");
        }
    }

    /** Of an L2 that may take longer over a write than callers have time. */
    private static Stack stackWithPatientL2(LoadingPolicy policy) {
        Settings base = Stack.loadingBy(policy, PATIENT);
        return Stack.ofThree(new Settings(
                base.localCache(),
                base.distributedCache().withTimeout(PATIENCE),
                base.backupStorage(),
                base.circuitBreaker(),
                base.failover(),
                base.loading(),
                base.limits(),
                base.caches(),
                base.classes(),
                base.server()));
    }

    @Test
    void whoHasNoTimeLeftDoesNotWaitUntilASlowTierHasWhatTheLoaderBrought() {
        try (Stack stack = stackWithPatientL2(LoadingPolicy.INHERIT.withTimeouts(null, MUCH_LATER))) {
            Loader<String, String> holding = key -> {
                stack.remote.hold();
                return "brought";
            };
            assertThat(stack.quotes().get("k", holding)).isEqualTo("brought");
            assertThat(stack.counter("guard.l2.broken")).isZero();
            assertThat(stack.remote.waiting()).isPositive();
            assertThat(stack.counter("cache.quotes.load.failures")).isZero();
            stack.remote.release();
        }
    }

    @Test
    void whoHasSomethingStaleIsToldWhatTheLoaderBroughtThough() {
        try (Stack stack = stackWithPatientL2(LoadingPolicy.INHERIT.withTimeouts(MUCH_LATER, PATIENCE))) {
            putAndLetGoStale(stack);
            Loader<String, String> holding = key -> {
                stack.remote.hold();
                return "brought";
            };
            assertThat(stack.quotes().get("k", holding)).isEqualTo("brought");
            assertThat(stack.counter("guard.l2.broken")).isZero();
            assertThat(stack.remote.waiting()).isPositive();
            stack.remote.release();
        }
    }

    @Test
    void afterTheHardTimeoutCallersAreToldAndLaterOnesWaitForTheSameCall() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withTimeouts(null, MUCH_LATER))) {
            Slow slow = new Slow("late");
            assertThatThrownBy(() -> stack.quotes().get("k", slow))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("longer than 2000 ms")
                    .hasMessageContaining("hard_timeout");
            CompletableFuture<String> next =
                    stack.quotes().async().get("k", slow).toCompletableFuture();
            assertThat(stack.counter("cache.quotes.loads.shared")).isEqualTo(1);
            slow.goOn.countDown();
            assertThat(next).succeedsWithin(PATIENCE).isEqualTo("late");
            assertThat(slow.calls).hasValue(1);
            assertThat(stack.quotes().get("k")).isEqualTo("late");
            await().untilAsserted(() -> assertThat(
                            stack.metrics.getGauges().get("flights").getValue())
                    .isEqualTo(0));
        }
    }

    @Test
    void whoWaitsForAnOverdueCallWaitsNoLongerThanTheHardTimeoutEither() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withTimeouts(null, LATER))) {
            Slow slow = new Slow("late");
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> stack.quotes().get("k", slow)).isInstanceOf(LoaderException.class);
            }
            assertThat(slow.calls).hasValue(1);
            slow.goOn.countDown();
            await().untilAsserted(() -> assertThat(stack.quotes().get("k")).isEqualTo("late"));
        }
    }

    @Test
    void anOverdueCallThatAWriteOvertookIsNotJoinedAndBringsNothing() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withTimeouts(null, MUCH_LATER))) {
            Slow slow = new Slow("late");
            assertThatThrownBy(() -> stack.quotes().get("k", slow)).isInstanceOf(LoaderException.class);
            stack.quotes().invalidate("k");
            assertThat(stack.quotes().get("k", key -> "newer")).isEqualTo("newer");
            slow.goOn.countDown();
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.fills.refused")).isPositive());
            assertThat(stack.quotes().get("k")).isEqualTo("newer");
        }
    }

    @Test
    void afterAFailureStaleValuesAreAnsweredWithoutAnotherTryUntilTheThrottleIsOver() {
        Duration throttle = Duration.ofSeconds(3);
        try (Stack stack = stack(LoadingPolicy.INHERIT.withFailSafeThrottle(throttle))) {
            putAndLetGoStale(stack);
            AtomicInteger calls = new AtomicInteger();
            Loader<String, String> failing = key -> {
                calls.incrementAndGet();
                throw new IOException("down");
            };
            for (int i = 0; i < 5; i++) {
                assertThat(stack.quotes().get("k", failing)).isEqualTo("old");
                assertThat(stack.quotes().getAll(List.of("k"), keys -> {
                            calls.incrementAndGet();
                            throw new IOException("down");
                        }))
                        .containsEntry("k", "old");
            }
            assertThat(calls).hasValue(1);
            stack.clock.advance(throttle);
            assertThat(stack.quotes().get("k", key -> "new")).isEqualTo("new");
        }
    }

    @Test
    void staleIsNeverAnsweredPastStaleUntilThrottledOrNot() {
        try (Stack stack = stack(LoadingPolicy.INHERIT
                .withFailSafeThrottle(Duration.ofMinutes(30))
                .withStaleWhileRevalidate(Stack.STALE))) {
            putAndLetGoStale(stack);
            assertThat(stack.quotes().get("k", DOWN)).isEqualTo("old");
            stack.clock.advance(Stack.STALE);
            assertThatThrownBy(() -> stack.quotes().get("k", DOWN)).isInstanceOf(LoaderException.class);
            assertThat(stack.quotes().get("k", key -> "new")).isEqualTo("new");
        }
    }

    @Test
    void whileAStaleValueMayBeRevalidatedItIsAnsweredAtOnceAndLoadedOnce() {
        Duration window = Duration.ofSeconds(30);
        try (Stack stack = stack(LoadingPolicy.INHERIT.withStaleWhileRevalidate(window))) {
            putAndLetGoStale(stack);
            Slow slow = new Slow("new");
            for (int i = 0; i < 50; i++) {
                assertThat(stack.quotes().get("k", slow)).isEqualTo("old");
                assertThat(stack.quotes().getAll(List.of("k"), keys -> Map.of("k", slow.load("k"))))
                        .containsEntry("k", "old");
            }
            assertThat(stack.counter("cache.quotes.refreshes")).isEqualTo(1);
            slow.goOn.countDown();
            await().untilAsserted(() -> assertThat(stack.quotes().get("k")).isEqualTo("new"));
            assertThat(slow.calls).hasValue(1);
            stack.clock.advance(Stack.TTL.plus(window));
            assertThat(stack.quotes().get("k", key -> "newest")).isEqualTo("newest");
        }
    }

    @Test
    void aBulkReadRefreshesWhatItAnsweredStaleInOneCallAndWaitsForTheRest() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withStaleWhileRevalidate(Stack.STALE))) {
            stack.quotes().putAll(Map.of("a", "old", "b", "old"));
            stack.clock.advance(Stack.TTL);
            List<Set<String>> asked = new ArrayList<>();
            Map<String, String> values = stack.quotes().getAll(List.of("a", "b", "c"), keys -> {
                synchronized (asked) {
                    asked.add(Set.copyOf(keys));
                }
                Map<String, String> loaded = new java.util.HashMap<>();
                keys.forEach(key -> loaded.put(key, "new"));
                return loaded;
            });
            assertThat(values).containsOnly(Map.entry("a", "old"), Map.entry("b", "old"), Map.entry("c", "new"));
            await().untilAsserted(() -> assertThat(stack.quotes().getAll(List.of("a", "b")))
                    .containsOnly(Map.entry("a", "new"), Map.entry("b", "new")));
            assertThat(asked).containsExactlyInAnyOrder(Set.of("c"), Set.of("a", "b"));
        }
    }

    @Test
    void anEagerRefreshIsSetOffByAHitInEveryViewAndKeepsAnsweringMeanwhile() {
        LoadingPolicy eager = LoadingPolicy.INHERIT.withRefresh(null, 80);
        CachePolicy near = new CachePolicy(Stack.TTL, Stack.STALE, null, null)
                .withLoading(eager)
                .withNearCache(new NearCacheSettings(10, null));
        for (Stack each : List.of(
                stack(eager),
                Stack.ofThree(Stack.withQuotes(near, PATIENT)),
                Stack.of("2", Stack.loadingBy(eager, PATIENT)))) {
            try (Stack stack = each) {
                Cache<String, String> cache = stack.quotes();
                Slow slow = new Slow("new");
                cache.put("k", "old");
                stack.clock.advance(Stack.TTL.multipliedBy(79).dividedBy(100));
                assertThat(cache.get("k", slow)).isEqualTo("old");
                assertThat(slow.calls).hasValue(0);
                stack.clock.advance(Stack.TTL.dividedBy(100));
                for (int i = 0; i < 20; i++) {
                    assertThat(cache.get("k", slow)).isEqualTo("old");
                    assertThat(cache.async().get("k", slow).toCompletableFuture())
                            .succeedsWithin(PATIENCE)
                            .isEqualTo("old");
                }
                slow.goOn.countDown();
                await().untilAsserted(() -> assertThat(cache.get("k")).isEqualTo("new"));
                assertThat(slow.calls).hasValue(1);
                assertThat(stack.counter("cache.quotes.refreshes")).isEqualTo(1);
            }
        }
    }

    @Test
    void aReadThatTellsWhatHappenedSetsOffARefreshToo() {
        LoadingPolicy eager = LoadingPolicy.INHERIT.withRefresh(null, 50);
        CachePolicy near = new CachePolicy(Stack.TTL, Stack.STALE, null, null)
                .withLoading(eager)
                .withNearCache(new NearCacheSettings(10, null));
        for (boolean waiting : List.of(true, false)) {
            for (Stack each : List.of(stack(eager), Stack.ofThree(Stack.withQuotes(near, PATIENT)))) {
                try (Stack stack = each) {
                    Cache<String, String> cache = stack.quotes();
                    Slow slow = new Slow("new");
                    cache.put("k", "old");
                    cache.get("k");
                    stack.clock.advance(Stack.TTL.dividedBy(2));
                    ReadResult<String> read = waiting
                            ? cache.read("k", slow)
                            : cache.async()
                                    .read("k", slow)
                                    .toCompletableFuture()
                                    .join();
                    assertThat(read.value()).isEqualTo("old");
                    assertThat(read.freshness()).isEqualTo(Freshness.FRESH);
                    slow.goOn.countDown();
                    await().untilAsserted(() -> assertThat(cache.get("k")).isEqualTo("new"));
                    assertThat(slow.calls).hasValue(1);
                }
            }
        }
    }

    @Test
    void whenAValueEndsWhileItIsRefreshedCallersWaitForThatRefresh() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withRefresh(null, 50))) {
            Slow slow = new Slow("new");
            stack.quotes().put("k", "old");
            stack.clock.advance(Stack.TTL.dividedBy(2));
            assertThat(stack.quotes().get("k", slow)).isEqualTo("old");
            stack.clock.advance(Stack.TTL);
            CompletableFuture<String> waiter =
                    stack.quotes().async().get("k", slow).toCompletableFuture();
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.loads.shared")).isEqualTo(1));
            slow.goOn.countDown();
            assertThat(waiter).succeedsWithin(PATIENCE).isEqualTo("new");
            assertThat(slow.calls).hasValue(1);
        }
    }

    @Test
    void aWriteDuringARefreshWins() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withRefresh(null, 50))) {
            Slow slow = new Slow("loaded");
            stack.quotes().put("k", "old");
            stack.clock.advance(Stack.TTL.dividedBy(2));
            assertThat(stack.quotes().get("k", slow)).isEqualTo("old");
            stack.quotes().put("k", "written");
            slow.goOn.countDown();
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.fills.refused")).isPositive());
            assertThat(stack.quotes().get("k")).isEqualTo("written");
            assertThat(stack.heldBy(stack.remoteHeap, "k")).isEqualTo("written");
        }
    }

    @Test
    void aRefreshThatFailsIsNotTriedByEveryHit() {
        try (Stack stack = stack(LoadingPolicy.INHERIT.withRefresh(null, 50))) {
            stack.quotes().put("k", "old");
            stack.clock.advance(Stack.TTL.dividedBy(2));
            assertThat(stack.quotes().get("k", DOWN)).isEqualTo("old");
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.load.failures")).isEqualTo(1));
            for (int i = 0; i < 20; i++) {
                assertThat(stack.quotes().get("k", DOWN)).isEqualTo("old");
            }
            assertThat(stack.counter("cache.quotes.refreshes")).isEqualTo(1);
        }
    }

    @Test
    void refreshesDoNotTakeTheThreadsOfThoseWhoWaitAndWhoWaitsForOneMovesItForward() {
        LoadingPolicy policy = LoadingPolicy.INHERIT.withStaleWhileRevalidate(Stack.STALE.dividedBy(2));
        try (Stack stack = Stack.ofThree(Stack.loadingBy(policy, new LoadingSettings(PATIENCE, 1)))) {
            Slow slow = new Slow("new");
            for (int i = 0; i < 10; i++) {
                stack.quotes().put("k" + i, "old");
            }
            stack.clock.advance(Stack.TTL);
            for (int i = 0; i < 10; i++) {
                assertThat(stack.quotes().get("k" + i, slow)).isEqualTo("old");
            }
            // The only thread for refreshes is busy; the only one for callers is not.
            assertThat(stack.quotes().get("other", key -> "at once")).isEqualTo("at once");
            await().untilAsserted(() -> assertThat(slow.calls).hasValue(1));
            stack.clock.advance(Stack.STALE.dividedBy(2));
            CompletableFuture<String> waiter =
                    stack.quotes().async().get("k9", slow).toCompletableFuture();
            await().untilAsserted(() -> assertThat(slow.calls).hasValue(2));
            slow.goOn.countDown();
            assertThat(waiter).succeedsWithin(PATIENCE).isEqualTo("new");
        }
    }

    @Test
    void refreshesThatWaitAreBoundedAndWhatIsTooMuchIsDropped() {
        LoadingPolicy policy = LoadingPolicy.INHERIT.withStaleWhileRevalidate(Stack.STALE);
        try (Stack stack = Stack.ofThree(Stack.loadingBy(policy, new LoadingSettings(PATIENCE, 4)))) {
            Slow slow = new Slow("new");
            for (int i = 0; i < 40; i++) {
                stack.quotes().put("k" + i, "old");
            }
            stack.clock.advance(Stack.TTL);
            for (int i = 0; i < 40; i++) {
                assertThat(stack.quotes().get("k" + i, slow)).isEqualTo("old");
            }
            assertThat(stack.counter("cache.quotes.refreshes")).isEqualTo(17);
            assertThat(stack.counter("cache.quotes.refreshes.dropped")).isEqualTo(23);
            slow.goOn.countDown();
            await().untilAsserted(() -> {
                assertThat(stack.quotes().get("k39", slow)).isIn("old", "new");
                assertThat(stack.quotes().get("k39")).isEqualTo("new");
            });
        }
    }

    @Test
    @Tag("F63")
    void tenThousandCallersOfOneColdKeyShareOneCallWithoutAThreadEach() {
        try (Stack stack = stack(LoadingPolicy.INHERIT)) {
            Slow slow = new Slow("value");
            int threads = Thread.activeCount();
            List<CompletableFuture<String>> callers = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                callers.add(stack.quotes().async().get("hot", slow).toCompletableFuture());
            }
            await().untilAsserted(() -> assertThat(slow.calls).hasValue(1));
            assertThat(Thread.activeCount() - threads).isLessThan(50);
            slow.goOn.countDown();
            callers.forEach(
                    caller -> assertThat(caller).succeedsWithin(PATIENCE).isEqualTo("value"));
            assertThat(slow.calls).hasValue(1);
        }
    }

    @Test
    void whoComesWhenTooManyWaitIsRefusedAtOnceOrGetsAStaleValue() {
        LoadingSettings few = new LoadingSettings(PATIENCE, 4, 3);
        try (Stack stack = Stack.ofThree(Stack.loadingBy(LoadingPolicy.INHERIT, few))) {
            putAndLetGoStale(stack);
            Slow slow = new Slow("value");
            List<CompletableFuture<String>> callers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                callers.add(stack.quotes().async().get("hot", slow).toCompletableFuture());
            }
            await().untilAsserted(() -> assertThat(slow.calls).hasValue(1));
            assertThatThrownBy(() -> stack.quotes().get("hot", slow))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("3 callers wait")
                    .hasMessageContaining("loading.waiters");
            assertThat(stack.quotes().get("k", slow)).isEqualTo("old");
            slow.goOn.countDown();
            callers.forEach(
                    caller -> assertThat(caller).succeedsWithin(PATIENCE).isEqualTo("value"));
            assertThat(stack.quotes().get("another", key -> "there is room")).isEqualTo("there is room");
        }
    }

    @Test
    @Tag("F73")
    void anInterruptedCallerLeavesTheLoadToOthers() throws Exception {
        try (Stack stack = stack(LoadingPolicy.INHERIT)) {
            Slow slow = new Slow("value");
            CompletableFuture<Boolean> flag = new CompletableFuture<>();
            Thread caller = new Thread(() -> {
                try {
                    stack.quotes().get("k", slow);
                } catch (dev.terrace.api.InterruptedCallException e) {
                    flag.complete(Thread.currentThread().isInterrupted());
                }
            });
            caller.start();
            await().untilAsserted(() -> assertThat(slow.calls).hasValue(1));
            CompletableFuture<String> other =
                    stack.quotes().async().get("k", slow).toCompletableFuture();
            caller.interrupt();
            assertThat(flag).succeedsWithin(PATIENCE).isEqualTo(true);
            slow.goOn.countDown();
            assertThat(other).succeedsWithin(PATIENCE).isEqualTo("value");
            caller.join();
            await().untilAsserted(() -> assertThat(
                            stack.metrics.getGauges().get("flights").getValue())
                    .isEqualTo(0));
        }
    }

    @Test
    void jitterTakesFromTheTimeToLiveByTheKeyAndTheSameOnEveryNode() {
        LoadingPolicy jittered = LoadingPolicy.INHERIT.withTtlJitter(20);
        try (Stack one = stack(jittered);
                Stack other = stack(jittered)) {
            Set<Long> lives = new HashSet<>();
            for (int i = 0; i < 200; i++) {
                String key = "key-" + i;
                one.quotes().get(key, same -> "v");
                other.quotes().get(key, same -> "v");
                long life = life(one, key);
                assertThat(life).isEqualTo(life(other, key));
                assertThat(life).isBetween(Stack.TTL.toMillis() * 80 / 100, Stack.TTL.toMillis());
                lives.add(life / 1_000);
            }
            // Spread over the twelve seconds, and not all in some corner of them.
            assertThat(lives).hasSizeGreaterThan(9);
            one.quotes().put("explicit", "v", dev.terrace.api.WriteOptions.DEFAULTS.withTtl(Stack.TTL));
            assertThat(life(one, "explicit")).isEqualTo(Stack.TTL.toMillis());
        }
    }

    private static long life(Stack stack, String key) {
        dev.terrace.spi.Lookup lookup =
                stack.remoteHeap.get(Stack.key(key)).toCompletableFuture().join();
        dev.terrace.spi.Entry entry = ((dev.terrace.spi.Lookup.Hit) lookup).entry();
        return entry.freshUntilMillis() - entry.createdMillis();
    }

    @Test
    void aDoubtfulReaderOfNoTierStillShares() {
        try (Stack stack = Stack.of("2", Stack.loadingBy(LoadingPolicy.INHERIT, PATIENT))) {
            assertThat(stack.quotes().read("k", key -> "v").source()).isEqualTo(Source.LOADER);
        }
    }
}
