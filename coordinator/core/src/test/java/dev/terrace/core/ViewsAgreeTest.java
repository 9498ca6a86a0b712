package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.AsyncCache;
import dev.terrace.api.Cache;
import dev.terrace.api.ReadResult;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.Version;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The blocking and the asynchronous view have the same methods and give the same answers. */
class ViewsAgreeTest {
    @Test
    void everyBlockingMethodHasAnAsynchronousTwin() {
        for (Method method : Cache.class.getMethods()) {
            // A buffer of the caller's is not for another thread to fill.
            boolean intoBuffer = Arrays.asList(method.getParameterTypes()).contains(ByteBuffer.class);
            if (!method.getName().equals("async") && !intoBuffer) {
                assertThat(Arrays.stream(AsyncCache.class.getMethods())
                                .filter(twin -> twin.getName().equals(method.getName())
                                        && Arrays.equals(twin.getParameterTypes(), method.getParameterTypes())))
                        .as(method.toString())
                        .hasSize(1);
            }
        }
    }

    @Test
    void theSameOperationsGiveTheSameAnswers() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("ViewsAgreeTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        try (Stack blocking = Stack.ofThree();
                Stack async = Stack.ofThree()) {
            SplittableRandom one = new SplittableRandom(seed);
            SplittableRandom two = new SplittableRandom(seed);
            for (int step = 0; step < 1_500; step++) {
                assertThat(async(async, two)).as("step %d", step).isEqualTo(blocking(blocking, one));
            }
        }
    }

    private static List<Object> blocking(Stack stack, SplittableRandom random) {
        Cache<String, String> cache = stack.quotes();
        String key = "k" + random.nextInt(8);
        String value = "v" + random.nextInt(100);
        try {
            return switch (random.nextInt(14)) {
                case 0 -> answer(cache.get(key));
                case 1 -> answer(cache.get(key, loading -> value));
                case 2 -> answer(cache.getAll(List.of(key, "k1")));
                case 3 -> answer(cache.getAll(List.of(key, "k1"), keys -> Map.of(key, value)));
                case 4 -> answer(cache.put(key, value));
                case 5 -> answer(cache.putAll(Map.of(key, value)).get(key));
                case 6 -> answer(cache.putIfAbsent(key, value));
                case 7 -> answer(cache.replace(key, Version.of(1, 1, 1), value));
                case 8 -> answer(cache.invalidate(key));
                case 9 -> answer(cache.invalidate(List.of(key)).get(key));
                case 10 -> answer(cache.increment("n" + random.nextInt(2), 1));
                case 11 -> answer(cache.read(key));
                case 12 -> answer(cache.increment(key, 1));
                default -> maintenance(stack, random, cache::clear);
            };
        } catch (RuntimeException e) {
            return answer(e.getClass());
        }
    }

    private static List<Object> async(Stack stack, SplittableRandom random) {
        AsyncCache<String, String> cache = stack.quotes().async();
        String key = "k" + random.nextInt(8);
        String value = "v" + random.nextInt(100);
        try {
            return switch (random.nextInt(14)) {
                case 0 -> answer(join(cache.get(key)));
                case 1 -> answer(join(cache.get(key, loading -> value)));
                case 2 -> answer(join(cache.getAll(List.of(key, "k1"))));
                case 3 -> answer(join(cache.getAll(List.of(key, "k1"), keys -> Map.of(key, value))));
                case 4 -> answer(join(cache.put(key, value)));
                case 5 -> answer(join(cache.putAll(Map.of(key, value))).get(key));
                case 6 -> answer(join(cache.putIfAbsent(key, value)));
                case 7 -> answer(join(cache.replace(key, Version.of(1, 1, 1), value)));
                case 8 -> answer(join(cache.invalidate(key)));
                case 9 -> answer(join(cache.invalidate(List.of(key))).get(key));
                case 10 -> answer(join(cache.increment("n" + random.nextInt(2), 1)));
                case 11 -> answer(join(cache.read(key)));
                case 12 -> answer(join(cache.increment(key, 1)));
                default -> maintenance(stack, random, () -> join(cache.clear()));
            };
        } catch (CompletionException e) {
            return answer(e.getCause().getClass());
        }
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    private static List<Object> maintenance(Stack stack, SplittableRandom random, Runnable clear) {
        switch (random.nextInt(4)) {
            case 0 -> stack.clock.advance(Duration.ofMillis(random.nextInt(30_000)));
            case 1 -> stack.local.wipe();
            case 2 -> stack.remoteHeap.wipe();
            default -> clear.run();
        }
        return List.of();
    }

    /** What can be compared between two stacks: everything but versions and times. */
    private static List<Object> answer(Object answer) {
        List<Object> comparable = new ArrayList<>();
        if (answer instanceof WriteReceipt receipt) {
            comparable.add(receipt.applied());
            comparable.add(receipt.stored());
            comparable.add(receipt.missed());
        } else if (answer instanceof ReadResult<?> read) {
            comparable.add(read.value());
            comparable.add(read.source());
            comparable.add(read.freshness());
        } else {
            comparable.add(answer);
        }
        return comparable;
    }
}
