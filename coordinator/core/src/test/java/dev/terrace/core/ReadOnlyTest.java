package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Rung;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Reads of what is stale while the node is read-only. */
class ReadOnlyTest {
    @Test
    void aStaleValueIsAnsweredBeforeTheOriginHasAnswered() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            stack.clock.advance(Stack.TTL);
            stack.coordinator.pinLadder(Rung.READ_ONLY, Duration.ofMinutes(5), "test", "test");
            CountDownLatch slow = new CountDownLatch(1);
            long began = System.nanoTime();
            ReadResult<String> read = cache.read("k", key -> {
                assertThat(slow.await(20, TimeUnit.SECONDS)).isTrue();
                return "new";
            });
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
            assertThat(read.value()).isEqualTo("v");
            assertThat(read.freshness()).isEqualTo(Freshness.STALE);
            slow.countDown();
            await().untilAsserted(() -> assertThat(cache.get("k")).isEqualTo("new"));
        }
    }
}
