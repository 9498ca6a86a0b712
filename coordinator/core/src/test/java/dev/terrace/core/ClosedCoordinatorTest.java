package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.config.NearCacheSettings;
import java.lang.ref.WeakReference;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ClosedCoordinatorTest {
    /** What was opened, used and closed here is left to the registry alone. */
    private static WeakReference<Object> closed(MetricRegistry[] registry) {
        Stack stack = Stack.of("1", Stack.withNearCache(new NearCacheSettings(10, null)));
        registry[0] = stack.metrics;
        try (stack) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            assertThat(cache.get("k")).isEqualTo("v");
            assertThat(cache.get("k")).isEqualTo("v");
            assertThat(stack.metrics.getGauges()).containsKey("cache.quotes.near.entries");
        }
        return new WeakReference<>(stack.local);
    }

    @Test
    void theRegistryOfTheApplicationKeepsNothingOfItInMemory() {
        MetricRegistry[] registry = new MetricRegistry[1];
        WeakReference<Object> local = closed(registry);
        assertThat(registry[0].getGauges().keySet())
                .noneMatch(name -> name.contains("near") || name.startsWith("ladder") || name.startsWith("coherence"));
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return local.get() == null;
        });
        assertThat(registry[0].getCounters()).isNotEmpty();
    }
}
