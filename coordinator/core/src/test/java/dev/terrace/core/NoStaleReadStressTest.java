package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Cache;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.FaultyTier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Writers change the origin and then tell the cache; readers read through, while L1 evicts and tiers stall and fail. Who
 * reads after a writer's call returned never sees less than that writer wrote.
 */
@Tag("alone")
@Tag("F29")
class NoStaleReadStressTest {
    private static final int KEYS = 4;
    private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final AtomicLongArray origin = new AtomicLongArray(KEYS);
    private final AtomicLongArray told = new AtomicLongArray(KEYS);
    private final AtomicLong reads = new AtomicLong();
    private final long until = System.nanoTime() + RUN_NANOS;

    @ParameterizedTest
    @ValueSource(strings = {"123", "13", "1", "123n", "1n"})
    void whoReadsAfterAWriteReturnedSeesIt(String tiers) throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("NoStaleReadStressTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        ExecutorService threads = Executors.newFixedThreadPool(10);
        Settings settings =
                tiers.contains("n") ? Stack.withNearCache(new NearCacheSettings(3, null)) : Stack.settings();
        try (Stack stack = Stack.of(tiers, settings)) {
            Cache<String, String> cache = stack.quotes();
            List<Future<?>> workers = new ArrayList<>();
            for (int key = 0; key < KEYS; key++) {
                int mine = key;
                workers.add(threads.submit(() -> write(cache, mine, new SplittableRandom(seed ^ mine))));
            }
            for (int reader = 0; reader < 4; reader++) {
                long own = seed * 31 + reader;
                workers.add(threads.submit(() -> read(cache, new SplittableRandom(own))));
            }
            workers.add(threads.submit(() -> disturb(stack, new SplittableRandom(seed + 77))));
            try {
                for (Future<?> worker : workers) {
                    worker.get(30, TimeUnit.SECONDS);
                }
            } finally {
                stack.remote.release();
                stack.backup.release();
            }
            System.out.println("NoStaleReadStressTest tiers=" + tiers + " reads=" + reads.get() + " near="
                    + stack.counter("cache.quotes.hits.near"));
            assertThat(stack.counter("cache.quotes.hits.near") > 0).isEqualTo(tiers.contains("n"));
            assertThat(reads.get()).isGreaterThan(500);
        } finally {
            threads.shutdownNow();
        }
    }

    /** On a busy machine it goes on until there was something to see. */
    private boolean isOver() {
        long late = System.nanoTime() - until;
        return late > 0 && (reads.get() > 500 || late > 5 * RUN_NANOS);
    }

    private void write(Cache<String, String> cache, int key, SplittableRandom random) {
        String name = "k" + key;
        while (!isOver()) {
            long value = origin.incrementAndGet(key);
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> cache.invalidate(name);
                case 3 -> cache.invalidate(List.of(name));
                case 4, 5 -> cache.put(name, Long.toString(value));
                case 6 -> cache.putAll(Map.of(name, Long.toString(value)));
                default -> cache.clear();
            }
            told.set(key, value);
            LockSupport.parkNanos(random.nextInt(300_000)); // so that readers meet every state
        }
    }

    private void read(Cache<String, String> cache, SplittableRandom random) {
        while (!isOver()) {
            int key = random.nextInt(KEYS);
            String name = "k" + key;
            long least = told.get(key);
            String answer = switch (random.nextInt(4)) {
                case 0 -> cache.get(name);
                case 1 ->
                    cache.getAll(List.of(name), keys -> Map.of(name, load(key, random)))
                            .get(name);
                default -> cache.get(name, asked -> load(key, random));
            };
            if (answer != null) {
                assertThat(Long.parseLong(answer)).as(name).isGreaterThanOrEqualTo(least);
                reads.incrementAndGet();
            }
        }
    }

    private String load(int key, SplittableRandom random) {
        String value = Long.toString(origin.get(key));
        // What was read grows old before it is stored.
        LockSupport.parkNanos(random.nextInt(500_000));
        return value;
    }

    private void disturb(Stack stack, SplittableRandom random) {
        while (!isOver()) {
            stack.local.drop(Stack.key("k" + random.nextInt(KEYS)));
            FaultyTier tier = random.nextBoolean() ? stack.remote : stack.backup;
            switch (random.nextInt(6)) {
                case 0 -> tier.hold();
                case 1 -> tier.failWith(Unavailability.DISCONNECTED);
                default -> {
                    // Left alone, most of the time.
                }
            }
            LockSupport.parkNanos(200_000 + random.nextInt(1_000_000)); // how long the trouble lasts
            tier.release();
        }
    }
}
