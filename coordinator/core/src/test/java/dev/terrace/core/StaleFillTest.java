package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a loader read before a write never outlives that write, in any tier. */
@Tag("F29")
class StaleFillTest {
    private static final String KEY = "acme";

    private enum Write {
        PUT((cache, key) -> cache.put(key, "new")),
        PUT_ALL((cache, key) -> cache.putAll(Map.of(key, "new"))),
        INVALIDATE((cache, key) -> cache.invalidate(key)),
        INVALIDATE_ALL((cache, key) -> cache.invalidate(List.of(key))),
        CLEAR((cache, key) -> cache.clear());

        private final BiConsumer<Cache<String, String>, String> action;

        Write(BiConsumer<Cache<String, String>, String> action) {
            this.action = action;
        }

        boolean leavesAValue() {
            return this == PUT || this == PUT_ALL;
        }
    }

    /** A loader that has read the old value and waits before it returns. */
    private static final class SlowLoad {
        private final CountDownLatch reading = new CountDownLatch(1);
        private final CountDownLatch goOn = new CountDownLatch(1);

        String load(String key) throws InterruptedException {
            reading.countDown();
            assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
            return "old";
        }
    }

    @ParameterizedTest(name = "{0} during the load, tiers {1}, L1 evicts the newer entry: {2}")
    @CsvSource({
        "PUT, 123, false",
        "PUT, 123, true",
        "PUT, 1, false",
        "PUT, 13, true",
        "PUT, 23, false",
        "PUT_ALL, 123, true",
        "INVALIDATE, 123, false",
        "INVALIDATE, 123, true",
        "INVALIDATE, 1, false",
        "INVALIDATE, 1, true",
        "INVALIDATE, 13, true",
        "INVALIDATE, 12, true",
        "INVALIDATE_ALL, 123, true",
        "CLEAR, 123, false",
        "CLEAR, 1, false",
        "CLEAR, 12, true"
    })
    void aLateLoadNeverReplacesWhatWasWrittenMeanwhile(Write write, String tiers, boolean evict) throws Exception {
        try (Stack stack = Stack.of(tiers)) {
            Cache<String, String> cache = stack.quotes();
            SlowLoad slow = new SlowLoad();
            CompletableFuture<String> waiter = CompletableFuture.supplyAsync(() -> cache.get(KEY, slow::load));
            assertThat(slow.reading.await(10, TimeUnit.SECONDS)).isTrue();

            write.action.accept(cache, KEY);
            if (evict) {
                stack.local.drop(Stack.key(KEY));
            }
            slow.goOn.countDown();

            // Who asked before the write may see the older value.
            assertThat(waiter.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            boolean lostEverywhere = evict && tiers.equals("1");
            String expected = write.leavesAValue() && !lostEverywhere ? "new" : null;
            assertThat(cache.get(KEY)).isEqualTo(expected);
            stack.local.wipe();
            assertThat(cache.get(KEY)).isEqualTo(tiers.equals("1") ? null : expected);
            assertThat(stack.heldBy(stack.remoteHeap, KEY)).isNotEqualTo("old");
            assertThat(stack.heldBy(stack.backupHeap, KEY)).isNotEqualTo("old");
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"PUT", "INVALIDATE", "CLEAR"})
    void whoCallsAfterAWriteReturnedNeverJoinsALoadThatBeganBefore(Write write) throws Exception {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            SlowLoad slow = new SlowLoad();
            CompletableFuture<String> early = CompletableFuture.supplyAsync(() -> cache.get(KEY, slow::load));
            assertThat(slow.reading.await(10, TimeUnit.SECONDS)).isTrue();

            write.action.accept(cache, KEY);
            String late = cache.get(KEY, key -> "reloaded");

            assertThat(late).isEqualTo(write.leavesAValue() ? "new" : "reloaded");
            assertThat(early).isNotDone();
            slow.goOn.countDown();
            assertThat(early.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(cache.get(KEY)).isEqualTo(late);
        }
    }

    @Test
    void aPromotionThatBeganBeforeAnInvalidationDoesNotFillL1() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put(KEY, "old");
            stack.local.wipe();
            stack.backup.hold();
            stack.remoteHeap.wipe();
            CompletableFuture<String> reader = cache.async().get(KEY).toCompletableFuture();
            assertThat(stack.backup.waiting()).isEqualTo(1);

            CompletableFuture<?> invalidation = cache.async().invalidate(KEY).toCompletableFuture();
            stack.local.drop(Stack.key(KEY));
            stack.remoteHeap.evict(Stack.key(KEY));
            stack.backup.release();

            // Both overlap, so the reader may see either.
            assertThat(reader).succeedsWithin(Duration.ofSeconds(5)).isIn("old", null);
            assertThat(invalidation).succeedsWithin(Duration.ofSeconds(5));
            assertThat(cache.get(KEY)).isNull();
        }
    }

    @Test
    void aLoadThatOutlivesTheRetentionOfTombstonesIsNotKept() throws Exception {
        LimitSettings limits = LimitSettings.defaults();
        try (Stack stack = Stack.ofThree(Stack.settings(new LoadingSettings(Duration.ofSeconds(20), 4), limits))) {
            Cache<String, String> cache = stack.quotes();
            SlowLoad slow = new SlowLoad();
            CompletableFuture<String> waiter = CompletableFuture.supplyAsync(() -> cache.get(KEY, slow::load));
            assertThat(slow.reading.await(10, TimeUnit.SECONDS)).isTrue();
            stack.clock.advance(limits.tombstoneRetention());
            slow.goOn.countDown();
            assertThat(waiter.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(cache.get(KEY)).isNull();
            assertThat(stack.counter("cache.quotes.fills.refused")).isPositive();
        }
    }

    @Test
    void aLoaderThatEndsAfterItsTimeoutLosesAgainstAWriteEvenWhenL1HasEvictedIt() throws Exception {
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        LoadingSettings impatient = new LoadingSettings(Duration.ofMillis(100), 4);
        // Only L1: nobody else remembers the invalidation.
        try (Stack stack = Stack.of("1", Stack.settings(impatient, LimitSettings.defaults()))) {
            Cache<String, String> cache = stack.quotes();
            CompletableFuture<String> waiter = CompletableFuture.supplyAsync(() -> cache.get(KEY, key -> {
                reading.countDown();
                awaitUninterruptibly(goOn);
                return "old";
            }));
            assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(waiter).failsWithin(Duration.ofSeconds(5));
            cache.invalidate(KEY);
            stack.local.drop(Stack.key(KEY));
            goOn.countDown();
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.fills.refused")).isEqualTo(1));
            assertThat(cache.get(KEY)).isNull();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
