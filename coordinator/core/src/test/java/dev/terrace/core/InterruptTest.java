package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.InterruptedCallException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An interrupted caller goes, with its flag set; nothing it held stays behind, and the work goes on for others. */
@Tag("F73")
class InterruptTest {
    private static Map<String, Consumer<Cache<String, String>>> calls() {
        Map<String, Consumer<Cache<String, String>>> calls = new LinkedHashMap<>();
        calls.put("get", cache -> cache.get("absent"));
        calls.put("get with loader", cache -> cache.get("absent", key -> "v"));
        calls.put("read", cache -> cache.read("absent"));
        calls.put("read with loader", cache -> cache.read("absent", key -> "v"));
        calls.put("getAll", cache -> cache.getAll(List.of("absent", "other")));
        calls.put("getAll with loader", cache -> cache.getAll(List.of("absent"), keys -> Map.of()));
        calls.put("put", cache -> cache.put("k", "v"));
        calls.put("putAll", cache -> cache.putAll(Map.of("k", "v")));
        calls.put("putIfAbsent", cache -> cache.putIfAbsent("k", "v"));
        calls.put("replace", cache -> cache.replace("k", dev.terrace.spi.Version.of(1, 1, 1), "v"));
        calls.put("invalidate", cache -> cache.invalidate("k"));
        calls.put("invalidate many", cache -> cache.invalidate(List.of("k", "l")));
        calls.put("clear", Cache::clear);
        calls.put("increment", cache -> cache.increment("n", 1));
        calls.put("explain", cache -> cache.explain("k"));
        return calls;
    }

    @Test
    void openingACacheEndsWithTheFlagSetAndCanBeRepeated() throws Exception {
        try (Stack stack = Stack.ofThree()) {
            stack.remote.hold();
            CompletableFuture<Boolean> flag = new CompletableFuture<>();
            Thread caller = new Thread(() -> {
                try {
                    stack.quotes();
                    flag.completeExceptionally(new AssertionError("opened without L2's answer"));
                } catch (InterruptedCallException expected) {
                    flag.complete(Thread.currentThread().isInterrupted());
                }
            });
            caller.start();
            await().until(() -> stack.remote.waiting() > 0);
            caller.interrupt();
            assertThat(flag.get(10, TimeUnit.SECONDS)).isTrue();
            stack.remote.release();
            stack.quotes().put("k", "v");
            assertThat(stack.quotes().get("k")).isEqualTo("v");
        }
    }

    @Test
    void everyMethodThatWaitsEndsWithTheFlagSet() throws Exception {
        for (Map.Entry<String, Consumer<Cache<String, String>>> call : calls().entrySet()) {
            try (Stack stack = Stack.ofThree()) {
                Cache<String, String> cache = stack.quotes();
                stack.remote.hold();
                AtomicReference<Throwable> thrown = new AtomicReference<>();
                AtomicReference<Boolean> flag = new AtomicReference<>();
                Thread caller = new Thread(() -> {
                    try {
                        call.getValue().accept(cache);
                    } catch (Throwable e) {
                        thrown.set(e);
                    }
                    flag.set(Thread.currentThread().isInterrupted());
                });
                caller.start();
                await().untilAsserted(() ->
                        assertThat(stack.remote.waiting()).as(call.getKey()).isPositive());
                caller.interrupt();
                caller.join(5_000);
                assertThat(caller.isAlive()).as(call.getKey()).isFalse();
                assertThat(thrown.get()).as(call.getKey()).isInstanceOf(InterruptedCallException.class);
                assertThat(flag.get()).as(call.getKey()).isTrue();
                stack.remote.release();
                await().untilAsserted(() -> assertThat(
                                stack.metrics.getGauges().get("flights").getValue())
                        .as(call.getKey())
                        .isEqualTo(0));
                cache.put("after", "works");
                assertThat(cache.get("after")).isEqualTo("works");
            }
        }
    }

    @Test
    void theLoadOfAnInterruptedCallerGoesOnForOthers() throws Exception {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            CountDownLatch reading = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread first = new Thread(() -> {
                try {
                    cache.get("k", key -> {
                        reading.countDown();
                        assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                        return "v";
                    });
                } catch (InterruptedCallException e) {
                    thrown.set(e);
                }
            });
            first.start();
            assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
            CompletableFuture<String> second =
                    CompletableFuture.supplyAsync(() -> cache.get("k", key -> "a second load"));
            await().untilAsserted(() ->
                    assertThat(stack.counter("cache.quotes.loads.shared")).isEqualTo(1));
            first.interrupt();
            first.join(5_000);
            assertThat(thrown.get()).isInstanceOf(InterruptedCallException.class);
            goOn.countDown();
            assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo("v");
        }
    }

    @Test
    void interruptsAtRandomMomentsLeakNothing() throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("InterruptTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed);
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            List<Consumer<Cache<String, String>>> calls = List.copyOf(calls().values());
            for (int round = 0; round < 300; round++) {
                Consumer<Cache<String, String>> call = calls.get(random.nextInt(calls.size()));
                AtomicReference<Throwable> unexpected = new AtomicReference<>();
                Thread caller = new Thread(() -> {
                    try {
                        call.accept(cache);
                        call.accept(cache);
                    } catch (InterruptedCallException expected) {
                        if (!Thread.currentThread().isInterrupted()) {
                            unexpected.set(expected);
                        }
                    } catch (dev.terrace.api.CodecException notANumber) {
                        // Another round put text there.
                    } catch (Throwable e) {
                        unexpected.set(e);
                    }
                });
                caller.start();
                long until = System.nanoTime() + random.nextInt(200_000);
                while (System.nanoTime() < until) {
                    // Parking takes longer than what is to be hit.
                    Thread.onSpinWait();
                }
                caller.interrupt();
                caller.join(5_000);
                assertThat(caller.isAlive()).isFalse();
                assertThat(unexpected.get()).isNull();
            }
            await().untilAsserted(() -> assertThat(
                            stack.metrics.getGauges().get("flights").getValue())
                    .isEqualTo(0));
        }
    }
}
