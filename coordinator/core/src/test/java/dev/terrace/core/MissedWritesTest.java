package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MissedWritesTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final MetricRegistry metrics = new MetricRegistry();
    private final HeapTier heap = new HeapTier(TierLevel.L2, InstantSource.system());

    @AfterEach
    void close() {
        timer.shutdownNow();
    }

    private static Entry entry(String key, int counter) {
        long now = System.currentTimeMillis();
        return Entries.value(CacheKey.of("c", key), Entries.version(now, counter), now, Duration.ofMinutes(1), "v");
    }

    @Test
    void neitherATierThatThrowsNorAListenerThatFailsEndsTheReplay() {
        AtomicInteger replays = new AtomicInteger();
        Tier throwing = new ForwardingTier(heap) {
            @Override
            public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
                if (replays.incrementAndGet() == 1) {
                    throw new IllegalStateException("bug of a tier");
                }
                return super.putAll(entries);
            }
        };
        AtomicInteger told = new AtomicInteger();
        MissedWrites missed = new MissedWrites(
                throwing,
                new HybridClock(InstantSource.system(), 1, Duration.ofMinutes(1)),
                timer,
                (entry, outcome) -> {
                    if (told.incrementAndGet() == 1) {
                        throw new IllegalStateException("bug of who is told");
                    }
                },
                metrics);
        Entry first = entry("first", 1);
        Entry second = entry("second", 2);
        missed.add(first);
        missed.add(second);
        await().untilAsserted(() -> assertThat(missed.size()).isZero());
        for (Entry entry : List.of(first, second)) {
            CacheKey key = entry.key();
            assertThat(heap.get(key).toCompletableFuture().join()).asString().contains("Hit");
        }
    }
}
