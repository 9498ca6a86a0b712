package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Cache;
import dev.terrace.api.CodecException;
import dev.terrace.api.UnavailableException;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.testkit.FaultyTier;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/**
 * Random operations of one caller over three tiers that fail, lose replies, restart empty and evict, against a map. A read
 * may miss what was lost; it never answers anything but the newest value.
 */
class CoordinatorModelTest {
    private static final int STEPS = 3_000;
    private static final int KEYS = 12;

    /**
     * What a read of one key may answer: the newest acknowledged write, and whatever was loaded since, until it is no longer
     * fresh. (A load while L2 was away may be lost again, and then the older value, which nobody invalidated, is answered.)
     */
    private static final class Expected {
        private final Map<String, Long> freshUntilMillis = new HashMap<>();
        private boolean unknown;
    }

    private final Map<String, Expected> model = new HashMap<>();

    @RepeatedTest(5)
    void neverAnswersAnythingButTheNewestValue(RepetitionInfo repetition) {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("CoordinatorModelTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed);
        NearCacheSettings near = repetition.getCurrentRepetition() % 2 == 0
                ? new NearCacheSettings(repetition.getCurrentRepetition() == 2 ? 6 : 100, Duration.ofSeconds(20))
                : null;
        try (Stack stack =
                Stack.ofThree(Stack.withoutBreakers(near == null ? Stack.settings() : Stack.withNearCache(near)))) {
            Cache<String, String> cache = stack.quotes();
            for (int step = 0; step < STEPS; step++) {
                step(stack, cache, random, "step " + step);
            }
            stack.remote.release();
            stack.backup.release();
            for (String key : model.keySet()) {
                check(stack, key, cache.get(key), "at the end");
            }
            assertThat(stack.counter("cache.quotes.hits.near") > 0).isEqualTo(near != null);
        }
    }

    private void step(Stack stack, Cache<String, String> cache, SplittableRandom random, String step) {
        String key = "k" + random.nextInt(KEYS);
        Expected expected = model.computeIfAbsent(key, fresh -> new Expected());
        String value = step + " " + key;
        switch (random.nextInt(22)) {
            case 0, 1, 2 -> {
                cache.put(key, value);
                wrote(stack, key, value);
            }
            case 3 -> {
                String other = "k" + random.nextInt(KEYS);
                model.computeIfAbsent(other, fresh -> new Expected());
                Map<String, String> many = new HashMap<>(Map.of(key, value));
                many.put(other, value);
                cache.putAll(many);
                many.forEach((each, stored) -> wrote(stack, each, stored));
            }
            case 4 -> {
                cache.invalidate(key);
                wrote(stack, key, null);
            }
            case 5 -> {
                if (random.nextInt(10) == 0) {
                    cache.clear();
                    model.keySet().forEach(each -> wrote(stack, each, null));
                }
            }
            case 6 ->
                conditional(
                        stack, key, value, () -> cache.putIfAbsent(key, value).applied());
            case 7 -> {
                Version version = cache.read(key).version();
                if (version != null) {
                    conditional(
                            stack,
                            key,
                            value,
                            () -> cache.replace(key, version, value).applied());
                }
            }
            case 8 -> increment(stack, cache, "n" + random.nextInt(3));
            case 9 -> {
                String got = cache.get(key, missing -> value);
                if (value.equals(got)) {
                    loaded(stack, key, value);
                } else {
                    check(stack, key, got, step);
                }
            }
            case 10 -> {
                Map<String, String> got = cache.getAll(List.of(key, "k0", "k1"), missing -> Map.of(key, value));
                got.forEach((each, read) -> {
                    if (read.equals(value)) {
                        loaded(stack, each, value);
                    } else {
                        check(stack, each, read, step);
                    }
                });
            }
            case 11 ->
                cache.getAll(List.of("k0", "k1", "k2", "k3")).forEach((each, read) -> check(stack, each, read, step));
            case 12 -> stack.clock.advance(Duration.ofMillis(random.nextInt(5_000)));
            case 13 -> fault(stack.remote, random);
            case 14 -> fault(stack.backup, random);
            case 15 -> stack.local.wipe();
            case 16 -> stack.local.drop(Stack.key(key));
            default -> check(stack, key, cache.get(key), step);
        }
    }

    private static void fault(FaultyTier tier, SplittableRandom random) {
        switch (random.nextInt(5)) {
            case 0 -> tier.failWith(Unavailability.DISCONNECTED);
            case 1 -> tier.failWith(Unavailability.OVERLOADED);
            case 2 -> tier.loseReplies();
            default -> tier.release();
        }
    }

    private void wrote(Stack stack, String key, @Nullable String value) {
        Expected expected = model.computeIfAbsent(key, fresh -> new Expected());
        expected.freshUntilMillis.clear();
        expected.unknown = false;
        if (value != null) {
            loaded(stack, key, value);
        }
    }

    private void loaded(Stack stack, String key, String value) {
        model.computeIfAbsent(key, fresh -> new Expected())
                .freshUntilMillis
                .put(value, stack.clock.millis() + Stack.TTL.toMillis());
    }

    private interface Conditional {
        boolean run();
    }

    private void conditional(Stack stack, String key, String value, Conditional write) {
        try {
            if (write.run()) {
                wrote(stack, key, value);
            }
        } catch (UnavailableException e) {
            if (e.getMessage().contains("unknown")) {
                Expected expected = model.computeIfAbsent(key, fresh -> new Expected());
                expected.unknown = true;
            }
        }
    }

    private void increment(Stack stack, Cache<String, String> cache, String key) {
        Expected expected = model.computeIfAbsent(key, fresh -> new Expected());
        try {
            long sum = cache.increment(key, 1);
            expected.freshUntilMillis.forEach((number, freshUntil) -> {
                if (!expected.unknown && stack.clock.millis() < freshUntil) {
                    assertThat(sum).as("increment of %s", key).isEqualTo(Long.parseLong(number) + 1);
                }
            });
            wrote(stack, key, Long.toString(sum));
        } catch (UnavailableException e) {
            expected.unknown |= e.getMessage().contains("unknown");
        } catch (CodecException e) {
            throw new AssertionError("counters hold numbers only", e);
        }
    }

    private void check(Stack stack, String key, @Nullable String got, String when) {
        Expected expected = model.computeIfAbsent(key, fresh -> new Expected());
        if (got == null || expected.unknown) {
            return; // A cache may forget.
        }
        assertThat(expected.freshUntilMillis).as("%s: %s", when, key).containsKey(got);
        assertThat(stack.clock.millis())
                .as("%s: %s is fresh", when, key)
                .isLessThan(expected.freshUntilMillis.get(got));
    }
}
