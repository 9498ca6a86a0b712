package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Freshness;
import dev.terrace.api.Loader;
import dev.terrace.api.LoaderException;
import dev.terrace.api.ReadResult;
import dev.terrace.api.RejectedException;
import dev.terrace.api.Source;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.OriginSettings;
import dev.terrace.config.Settings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Loaders that throw, hang, return nothing, too much, or too late. */
@Tag("F64")
class LoaderTroubleTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static Settings impatient() {
        return Stack.settings(new LoadingSettings(Duration.ofMillis(200), 2), LimitSettings.defaults());
    }

    @Test
    void whatALoaderThrowsIsTheCauseEvenACheckedOneOrAnError() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            assertThatThrownBy(() -> cache.get("k", key -> {
                        throw new IOException("no route");
                    }))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("quotes")
                    .hasRootCauseInstanceOf(IOException.class);
            assertThatThrownBy(() -> cache.get("k", key -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(LoaderException.class)
                    .hasCauseInstanceOf(StackOverflowError.class);
            assertThat(cache.get("k", key -> "fine")).isEqualTo("fine");
        }
    }

    @Test
    void aFailedLoaderIsCoveredByAStaleValueWhichReadFlags() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            stack.clock.advance(Stack.TTL);
            assertThat(cache.get("k")).isNull();
            ReadResult<String> stale = cache.read("k", key -> {
                throw new IOException("down");
            });
            assertThat(stale.value()).isEqualTo("v");
            assertThat(stale.freshness()).isEqualTo(Freshness.STALE);
            assertThat(stale.age()).isEqualTo(Stack.TTL);
            assertThat(cache.get("k", key -> {
                        throw new IOException("down");
                    }))
                    .isEqualTo("v");
            assertThat(cache.getAll(List.of("k"), keys -> {
                        throw new IOException("down");
                    }))
                    .containsExactly(Map.entry("k", "v"));
            assertThat(cache.read("k").freshness()).isEqualTo(Freshness.STALE);
            assertThat(stack.counter("cache.quotes.stale")).isEqualTo(3);
            stack.clock.advance(Stack.STALE);
            assertThatThrownBy(() -> cache.get("k", key -> {
                        throw new IOException("down");
                    }))
                    .isInstanceOf(LoaderException.class);
        }
    }

    @Test
    void aLoaderThatHangsEndsAtItsTimeoutAndIsInterrupted() {
        try (Stack stack = Stack.ofThree(impatient())) {
            Cache<String, String> cache = stack.quotes();
            CountDownLatch interrupted = new CountDownLatch(1);
            long started = System.nanoTime();
            assertThatThrownBy(() -> cache.get("k", key -> {
                        try {
                            new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                            interrupted.countDown();
                            throw e;
                        }
                        return "never";
                    }))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("200 ms");
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(5));
            await().untilAsserted(() -> assertThat(interrupted.getCount()).isZero());
            assertThat(cache.get("k", key -> "now")).isEqualTo("now");
        }
    }

    @Test
    void anOriginWhoseCallsHangAndIgnoreInterruptsIsLeftAloneAndTriedAgain() throws Exception {
        CircuitBreakerSettings breaker =
                new CircuitBreakerSettings(true, 2, Duration.ofSeconds(30), Duration.ofMillis(500), 80);
        Settings settings = Stack.settings(new LoadingSettings(Duration.ofMillis(100), 8), LimitSettings.defaults());
        OriginSettings origin = new OriginSettings(0, false, Duration.ZERO, 0, 0, 1, breaker);
        try (Stack stack = Stack.ofThree(settings.withOrigins(Map.of("quotes", origin)))) {
            Cache<String, String> cache = stack.quotes();
            CountDownLatch goOn = new CountDownLatch(1);
            AtomicInteger calls = new AtomicInteger();
            Loader<String, String> hangs = key -> {
                calls.incrementAndGet();
                waitStubbornly(goOn);
                return "late";
            };
            RuntimeException last = null;
            for (int i = 0; i < 8 && !(last instanceof RejectedException); i++) {
                String name = "k" + i;
                last = catchThrowableOfType(RuntimeException.class, () -> cache.get(name, hangs));
            }
            assertThat(last).isInstanceOf(RejectedException.class);
            assertThat(calls.get()).isBetween(2, 7);
            // Those still hang.
            await().ignoreExceptionsInstanceOf(RejectedException.class)
                    .until(() -> "back".equals(cache.get("other", key -> "back")));
            goOn.countDown();
        }
    }

    @Test
    void aLateResultIsKeptIfNothingNewerCame() {
        try (Stack stack = Stack.ofThree(impatient())) {
            Cache<String, String> cache = stack.quotes();
            CountDownLatch goOn = new CountDownLatch(1);
            assertThatThrownBy(() -> cache.get("k", key -> {
                        waitStubbornly(goOn);
                        return "late";
                    }))
                    .isInstanceOf(LoaderException.class);
            goOn.countDown();
            await().untilAsserted(() -> assertThat(cache.get("k")).isEqualTo("late"));
        }
    }

    @Test
    void aLateResultLosesAgainstTheLoadThatTookItsPlace() {
        try (Stack stack = Stack.ofThree(impatient())) {
            Cache<String, String> cache = stack.quotes();
            CountDownLatch goOn = new CountDownLatch(1);
            CountDownLatch ended = new CountDownLatch(1);
            assertThatThrownBy(() -> cache.get("k", key -> {
                        waitStubbornly(goOn);
                        ended.countDown();
                        return "late";
                    }))
                    .isInstanceOf(LoaderException.class);
            assertThat(cache.get("k", key -> "newer")).isEqualTo("newer");
            goOn.countDown();
            await().untilAsserted(() -> assertThat(ended.getCount()).isZero());
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.fills.refused")).isPositive());
            assertThat(cache.get("k")).isEqualTo("newer");
            assertThat(stack.heldBy(stack.remoteHeap, "k")).isEqualTo("newer");
        }
    }

    @Test
    void noValueAtTheOriginIsRememberedForItsTimeWhereThatIsSet() {
        try (Stack stack = Stack.ofThree()) {
            AtomicInteger loads = new AtomicInteger();
            Cache<String, String> remembering = stack.quotes();
            Cache<String, String> asking = stack.cache("plain");
            for (int i = 0; i < 3; i++) {
                assertThat(remembering.get("k", key -> {
                            loads.incrementAndGet();
                            return null;
                        }))
                        .isNull();
            }
            assertThat(loads).hasValue(1);
            stack.clock.advance(Stack.NEGATIVE);
            assertThat(remembering.get("k", key -> "appeared")).isEqualTo("appeared");
            for (int i = 0; i < 3; i++) {
                assertThat(asking.get("k", key -> {
                            loads.incrementAndGet();
                            return null;
                        }))
                        .isNull();
            }
            assertThat(loads).hasValue(4);
        }
    }

    @Test
    void anOversizeValueFailsTheLoadByName() {
        LimitSettings limits = new LimitSettings(64, 100, Duration.ofMinutes(1), Duration.ofMinutes(10), PATIENCE);
        try (Stack stack = Stack.ofThree(Stack.settings(new LoadingSettings(PATIENCE, 2), limits))) {
            assertThatThrownBy(() -> stack.quotes().get("k", key -> "x".repeat(101)))
                    .isInstanceOf(LoaderException.class)
                    .hasCauseInstanceOf(BadInputException.class)
                    .hasMessageContaining("101")
                    .hasMessageContaining("max_value_bytes 100");
        }
    }

    @Test
    void moreLoadsThanThreadsAndQueueAreRefusedClearlyAndOneKeyDoesNotBlockOthers() {
        try (Stack stack = Stack.ofThree(impatient())) {
            Cache<String, String> cache = stack.quotes();
            CountDownLatch goOn = new CountDownLatch(1);
            List<CompletableFuture<String>> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                all.add(cache.async()
                        .get("k" + i, key -> {
                            waitStubbornly(goOn);
                            return "v";
                        })
                        .toCompletableFuture());
            }
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(all).allMatch(CompletableFuture::isDone));
            assertThat(all).allMatch(CompletableFuture::isCompletedExceptionally);
            assertThatThrownBy(all.get(99)::join).hasMessageContaining("no loader thread");
            goOn.countDown();
            await().atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(cache.get("fresh", key -> "again")).isEqualTo("again"));
            await().untilAsserted(() -> assertThat(
                            stack.metrics.getGauges().get("flights").getValue())
                    .isEqualTo(0));
        }
    }

    @Test
    void aValueWithATinyTimeToLiveStillAnswersThoseWhoLoadedIt() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            assertThat(cache.get("k", key -> {
                        return "v";
                    }))
                    .isEqualTo("v");
            stack.clock.advance(Stack.TTL.plus(Stack.STALE));
            stack.remote.hold();
            CompletableFuture<String> waiter =
                    cache.async().get("k", key -> "v2").toCompletableFuture();
            stack.remote.release();
            assertThat(waiter).succeedsWithin(PATIENCE).isEqualTo("v2");
            ReadResult<String> read = cache.read("k");
            assertThat(read.source()).isEqualTo(Source.L1);
        }
    }

    @Test
    void aMissingLoaderIsBadInput() {
        try (Stack stack = Stack.ofThree()) {
            assertThatThrownBy(() -> stack.quotes().get("k", (Loader<String, String>) null))
                    .isInstanceOf(BadInputException.class);
            assertThatThrownBy(() -> stack.quotes().getAll(List.of("k"), null)).isInstanceOf(BadInputException.class);
        }
    }

    private static void waitStubbornly(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                // A loader that does not care: what this test is about.
            }
        }
    }
}
