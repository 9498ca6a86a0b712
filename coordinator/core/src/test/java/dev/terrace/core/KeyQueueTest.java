package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class KeyQueueTest {
    private static final CacheKey KEY = CacheKey.of("c", "k");
    private static final int MANY = 10_000;

    private final KeyQueue queue = new KeyQueue();

    @Test
    void howeverManyWaitAndEndAtOnceAllHaveTheirTurn() throws Exception {
        CompletableFuture<Integer> slow = new CompletableFuture<>();
        queue.run(KEY, () -> slow);
        List<Integer> order = new ArrayList<>();
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            int number = i;
            all.add(queue.run(KEY, () -> {
                        order.add(number);
                        return number % 3 == 0
                                ? CompletableFuture.<Integer>failedStage(new IllegalStateException("refused"))
                                : CompletableFuture.completedStage(number);
                    })
                    .toCompletableFuture());
        }
        slow.complete(0);
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .handle((done, failures) -> true)
                .get(10, TimeUnit.SECONDS);
        assertThat(order).hasSize(MANY).isSorted();
        assertThat(queue.size()).isZero();
        assertThat(queue.run(KEY, () -> CompletableFuture.completedStage("next"))
                        .toCompletableFuture())
                .isCompletedWithValue("next");
    }

    @Test
    void whatIsAskedForWhileOneRunsThatEndsAtOnceHasItsTurnAfterIt() {
        List<Integer> order = new ArrayList<>();
        List<CompletableFuture<Integer>> within = new ArrayList<>();
        CompletableFuture<Integer> first = queue.run(KEY, () -> {
                    within.add(queue.run(KEY, () -> {
                                order.add(2);
                                return CompletableFuture.completedStage(2);
                            })
                            .toCompletableFuture());
                    order.add(1);
                    return CompletableFuture.completedStage(1);
                })
                .toCompletableFuture();
        assertThat(first).isCompletedWithValue(1);
        assertThat(within.get(0)).isCompletedWithValue(2);
        assertThat(order).containsExactly(1, 2);
        assertThat(queue.size()).isZero();
    }

    @Test
    void anOperationThatThrowsFailsItsStageAndLetsTheNextOneRun() {
        CompletableFuture<Integer> first = queue.<Integer>run(KEY, () -> {
                    throw new StackOverflowError();
                })
                .toCompletableFuture();
        assertThat(first).isCompletedExceptionally();
        assertThat(queue.run(KEY, () -> CompletableFuture.completedStage(2)).toCompletableFuture())
                .isCompletedWithValue(2);
        assertThat(queue.size()).isZero();
    }

    @Test
    void oneAtATimeWhateverThreadsAskAndEnd() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            AtomicInteger under = new AtomicInteger();
            AtomicInteger together = new AtomicInteger();
            List<CompletableFuture<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 4_000; i++) {
                CacheKey key = CacheKey.of("c", "k" + i % 3);
                AtomicInteger mine = i % 3 == 0 ? under : new AtomicInteger();
                boolean elsewhere = i % 2 == 0;
                all.add(CompletableFuture.supplyAsync(
                                () -> queue.run(key, () -> {
                                    together.accumulateAndGet(mine.incrementAndGet(), Math::max);
                                    if (elsewhere) {
                                        return CompletableFuture.supplyAsync(mine::decrementAndGet, pool);
                                    }
                                    mine.decrementAndGet();
                                    return CompletableFuture.completedStage(0);
                                }),
                                pool)
                        .thenCompose(stage -> stage));
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(20, TimeUnit.SECONDS);
            assertThat(together.get()).isEqualTo(1);
            // Who asked hears the answer before the queue puts itself away.
            Awaitility.await().untilAsserted(() -> assertThat(queue.size()).isZero());
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void oneOfManyKeysWaitsForAllOfThemAndOthersForIt() throws Exception {
        CacheKey other = CacheKey.of("c", "other");
        CompletableFuture<Integer> first = new CompletableFuture<>();
        CompletableFuture<Integer> second = new CompletableFuture<>();
        CompletableFuture<Integer> batch = new CompletableFuture<>();
        CompletableFuture<Void> begun = new CompletableFuture<>();
        queue.run(KEY, () -> first);
        queue.run(other, () -> second);
        CompletableFuture<Integer> both = queue.runAll(List.of(KEY, other, KEY), () -> {
                    begun.complete(null);
                    return batch;
                })
                .toCompletableFuture();
        CompletableFuture<Integer> after =
                queue.run(other, () -> CompletableFuture.completedStage(3)).toCompletableFuture();
        second.complete(2);
        assertThat(begun).isNotDone();
        first.complete(1);
        begun.get(10, TimeUnit.SECONDS);
        assertThat(after).isNotDone();
        batch.complete(12);
        assertThat(both.get(10, TimeUnit.SECONDS)).isEqualTo(12);
        assertThat(after.get(10, TimeUnit.SECONDS)).isEqualTo(3);
        assertThat(queue.size()).isZero();
    }

    @Test
    void manyThatShareKeysInOtherOrdersAllEnd() throws Exception {
        CacheKey other = CacheKey.of("c", "other");
        // Of its own: on two cores the common one is a thread for every task.
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            List<CompletableFuture<Integer>> all = new ArrayList<>();
            for (int i = 0; i < MANY; i++) {
                int number = i;
                List<CacheKey> keys = i % 2 == 0 ? List.of(KEY, other) : List.of(other, KEY);
                all.add(CompletableFuture.supplyAsync(
                                () -> queue.runAll(
                                        keys,
                                        () -> number % 3 == 0
                                                ? CompletableFuture.<Integer>failedStage(
                                                        new IllegalStateException("refused"))
                                                : CompletableFuture.completedStage(number)),
                                pool)
                        .thenCompose(stage -> stage));
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                    .handle((done, failures) -> true)
                    // A thread of the common pool for each of them, on two cores: seconds where they are busy.
                    .get(60, TimeUnit.SECONDS);
            assertThat(queue.size()).isZero();
        } finally {
            pool.shutdownNow();
        }
    }
}
