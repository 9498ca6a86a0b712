package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.ClosedException;
import dev.terrace.api.LoaderException;
import dev.terrace.api.TerraceException;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.TierStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Closing: bounded, drains, twice is fine, at any time. */
@Tag("F74")
class ClosingTest {
    private static Settings closingWithin(Duration bound) {
        LimitSettings limits = new LimitSettings(1024, 1 << 20, Duration.ofMinutes(1), Duration.ofMinutes(10), bound);
        Settings all = Stack.settings(new LoadingSettings(Duration.ofSeconds(30), 4), limits);
        // A note of hot keys would be one more entry in L3.
        return all.withWarmup(all.warmup().withHeat(0, Duration.ofHours(1)));
    }

    @Test
    void afterwardsEveryCallSaysSoAndClosingAgainIsFine() {
        Stack stack = Stack.ofThree();
        Cache<String, String> cache = stack.quotes();
        cache.put("k", "v");
        stack.close();
        stack.close();
        assertThatThrownBy(() -> cache.get("k")).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> cache.read("k")).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> cache.put("k", "v")).isInstanceOf(ClosedException.class);
        assertThatThrownBy(cache::clear).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> stack.quotes()).isInstanceOf(ClosedException.class);
        assertThat(cache.async().get("k").toCompletableFuture()).isCompletedExceptionally();
        assertThat(stack.coordinator.tiers()).allMatch(status -> status.state() == TierStatus.State.CLOSED);
    }

    @Test
    void waitsForALoadThatEndsInTimeAndKeepsItsResult() throws Exception {
        Stack stack = Stack.ofThree(closingWithin(Duration.ofSeconds(20)));
        Cache<String, String> cache = stack.quotes();
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> waiter = cache.async()
                .get("k", key -> {
                    reading.countDown();
                    assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                    return "v";
                })
                .toCompletableFuture();
        assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(stack::close);
        goOn.countDown();
        assertThat(waiter.get(10, TimeUnit.SECONDS)).isEqualTo("v");
        closing.get(10, TimeUnit.SECONDS);
        assertThat(stack.backupHeap.status().entries()).isEqualTo(1);
    }

    @Test
    void endsInTimeWhenALoaderHangsAndTellsItsCallers() throws Exception {
        Stack stack = Stack.ofThree(closingWithin(Duration.ofMillis(500)));
        Cache<String, String> cache = stack.quotes();
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        List<CompletableFuture<String>> waiters = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            waiters.add(cache.async()
                    .get("k" + i, key -> {
                        reading.countDown();
                        while (never.getCount() > 0) {
                            try {
                                never.await();
                            } catch (InterruptedException e) {
                                // Stubborn.
                            }
                        }
                        return "v";
                    })
                    .toCompletableFuture());
        }
        assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
        long started = System.nanoTime();
        stack.close();
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(2));
        for (CompletableFuture<String> waiter : waiters) {
            assertThatThrownBy(() -> waiter.get(5, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOfAny(ClosedException.class, LoaderException.class);
        }
        never.countDown();
    }

    @Test
    void duringReadsAndWritesNothingButOurOwnExceptionsSurfaces() throws Exception {
        for (int round = 0; round < 20; round++) {
            Stack stack = Stack.ofThree(closingWithin(Duration.ofSeconds(5)));
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            ExecutorService threads = Executors.newFixedThreadPool(8);
            AtomicLong calls = new AtomicLong();
            List<Future<Throwable>> outcomes = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int mine = i;
                outcomes.add(threads.submit(() -> {
                    while (true) {
                        try {
                            switch (mine % 4) {
                                case 0 -> assertThat(cache.get("k")).isIn("v", "w", null);
                                case 1 -> cache.put("k", "w");
                                case 2 -> cache.get("other" + calls.get(), key -> "loaded");
                                default -> cache.getAll(List.of("k", "other"));
                            }
                            calls.incrementAndGet();
                        } catch (TerraceException e) {
                            return e;
                        }
                    }
                }));
            }
            await().until(() -> calls.get() >= 100);
            stack.close();
            for (Future<Throwable> outcome : outcomes) {
                assertThat(outcome.get(10, TimeUnit.SECONDS)).isInstanceOf(ClosedException.class);
            }
            threads.shutdownNow();
        }
    }
}
