package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class HybridClockTest {
    private final AtomicLong wall = new AtomicLong(1_000_000);
    private final InstantSource source = () -> Instant.ofEpochMilli(wall.get());
    private final HybridClock clock = new HybridClock(source, 7, Duration.ofSeconds(60));

    @Test
    void neverRepeatsWithinAMillisecondNotEvenBeyondTheCounter() {
        Version before = clock.next();
        for (int i = 0; i < 200_000; i++) {
            Version now = clock.next();
            assertThat(now.compareTo(before)).isPositive();
            before = now;
        }
        assertThat(before.epochMillis()).isEqualTo(1_000_003);
    }

    @Test
    @Tag("F17")
    void neverGoesBackWhenTheWallClockDoes() {
        Version before = clock.next();
        wall.addAndGet(-3_600_000);
        assertThat(clock.next().compareTo(before)).isPositive();
    }

    @Test
    void exceedsWhatItHasSeen() {
        Version seen = Version.of(1_030_000, 9, 99);
        assertThat(clock.observe(seen)).isTrue();
        assertThat(clock.next().compareTo(seen)).isPositive();
    }

    @Test
    @Tag("F17")
    void refusesVersionsFromTooFarAhead() {
        assertThat(clock.observe(Version.of(1_060_001, 0, 99))).isFalse();
        assertThat(clock.next().epochMillis()).isEqualTo(1_000_000);
        assertThat(clock.observe(Version.of(1_060_000, 0, 99))).isTrue();
    }

    @Test
    void threadsNeverShareAVersion() throws Exception {
        Set<Version> all = ConcurrentHashMap.newKeySet();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            Callable<Set<Version>> take = () -> {
                Set<Version> mine = new HashSet<>();
                IntStream.range(0, 20_000).forEach(i -> mine.add(clock.next()));
                return mine;
            };
            for (var taken : threads.invokeAll(java.util.Collections.nCopies(4, take), 30, TimeUnit.SECONDS)) {
                all.addAll(taken.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(all).hasSize(80_000);
    }
}
