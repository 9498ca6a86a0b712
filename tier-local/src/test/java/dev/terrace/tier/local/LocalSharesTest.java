package dev.terrace.tier.local;

import static dev.terrace.tier.local.LocalFixture.holds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.LocalReport;
import dev.terrace.spi.StoreOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LocalSharesTest {
    private static final int SESSIONS = 1_000;

    final LocalFixture local = new LocalFixture();

    private static long held(OffHeapTier tier, String cache, int count) {
        return IntStream.range(0, count)
                .filter(i -> holds(tier, cache, "k" + i))
                .count();
    }

    private static LocalReport.Share shareOf(OffHeapTier tier, String name) {
        return tier.report().shares().stream()
                .filter(share -> share.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void whatIsReservedIsNeverPushedOutWhicheverPolicy(EvictionPolicy policy) {
        local.share("sessions", 40, 100);
        try (OffHeapTier tier = local.open(10_000, 8, policy)) {
            for (int i = 0; i < SESSIONS; i++) {
                local.put(tier, "sessions", "k" + i, 500);
            }
            for (int i = 0; i < 3_000; i++) {
                assertThat(local.put(tier, "blobs", "b" + i, 20_000)).isInstanceOf(StoreOutcome.Applied.class);
            }
            assertThat(held(tier, "sessions", SESSIONS)).isEqualTo(SESSIONS);
            // The same by number: entries so small that capacity runs out first.
            for (int i = 0; i < 20_000; i++) {
                local.put(tier, "tiny", "t" + i, 10);
            }
            assertThat(held(tier, "sessions", SESSIONS)).isEqualTo(SESSIONS);
            assertThat(local.evictions(EvictionCause.SHARE)).isZero();
            tier.shelf().budget.check();
        }
    }

    @Test
    void anEntryAsLargeAsItMayBeFindsRoomBetweenThoseThatMayNotGo() {
        int reserved = 3_000;
        local.share("sessions", 60, 100);
        try (OffHeapTier tier = local.open(10_000, 8, EvictionPolicy.LRU)) {
            for (int i = 0; i < 4_000; i++) {
                if (i < reserved) {
                    local.put(tier, "sessions", "k" + i, 500);
                }
                local.put(tier, "others", "k" + i, 500);
            }
            int largest = tier.shelf().shape.largestValueBytes() - 200;
            for (int i = 0; i < 10; i++) {
                assertThat(local.put(tier, "blobs", "b" + i, largest)).isInstanceOf(StoreOutcome.Applied.class);
            }
            assertThat(held(tier, "sessions", reserved)).isEqualTo(reserved);
            tier.shelf().budget.check();
        }
    }

    @Test
    void whoHasMoreThanIsReservedGivesWayLikeOthers() {
        local.share("sessions", 10, 100);
        try (OffHeapTier tier = local.open(10_000, 8, EvictionPolicy.LRU)) {
            for (int i = 0; i < 6_000; i++) {
                local.put(tier, "sessions", "k" + i, 500);
            }
            for (int i = 0; i < 20_000; i++) {
                local.put(tier, "quotes", "q" + i, 500);
            }
            long limit = tier.report().memory().limit();
            assertThat(shareOf(tier, "sessions").bytes()).isBetween(limit / 10 - 1_000, limit / 10 + 1_000);
        }
    }

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void nobodyTakesMoreThanTheMostAtAnyTimeUnderConcurrentWriters(EvictionPolicy policy) throws Exception {
        SplittableRandom seeds = LocalFixture.random(getClass());
        local.share("blobs", 0, 20).classShare("user:*", "users", 10, 30);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (OffHeapTier tier = local.open(5_000, 8, policy)) {
            List<Future<?>> writers = new ArrayList<>();
            for (int writer = 0; writer < 4; writer++) {
                SplittableRandom random = seeds.split();
                writers.add(threads.submit(() -> {
                    for (int i = 0; i < 2_500; i++) {
                        String cache = random.nextBoolean() ? "blobs" : "others";
                        String key = (random.nextInt(3) == 0 ? "user:" : "k") + random.nextInt(4_000);
                        local.put(tier, cache, key, random.nextInt(cache.equals("blobs") ? 8_000 : 1_500));
                        if (i % 16 == 0) {
                            long limit = tier.shelf().budget.maxBytes();
                            assertThat(tier.shelf().budget.bytes()).isLessThanOrEqualTo(limit);
                            assertThat(tier.shelf().budget.bytesOf(1)).isLessThanOrEqualTo(limit * 20 / 100);
                            assertThat(tier.shelf().budget.bytesOf(2)).isLessThanOrEqualTo(limit * 30 / 100);
                            assertThat(tier.shelf().budget.entriesOf(1)).isLessThanOrEqualTo(1_000);
                            assertThat(tier.shelf().budget.entries()).isLessThanOrEqualTo(5_000);
                        }
                    }
                }));
            }
            for (Future<?> writer : writers) {
                writer.get(60, TimeUnit.SECONDS);
            }
            tier.shelf().budget.check();
            assertThat(local.evictions(EvictionCause.SHARE)).isPositive();
            assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
            assertThat(local.metrics.counter("l1.refused").getCount()).isZero();
            assertThat(tier.report().parts())
                    .extracting(LocalReport.Part::className)
                    .contains("users", "");
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void anEntryLargerThanItsShareIsRefusedByNameAndTheOlderValueIsGone() {
        local.share("blobs", 0, 1);
        try (OffHeapTier tier = local.open(1_000, 16, EvictionPolicy.ADAPTIVE)) {
            assertThat(local.put(tier, "blobs", "k", 100)).isInstanceOf(StoreOutcome.Applied.class);
            local.clock.advance(java.time.Duration.ofMillis(1));
            assertThat(local.put(tier, "blobs", "k", 150_000))
                    .isInstanceOfSatisfying(
                            StoreOutcome.Refused.class,
                            no -> assertThat(no.reason()).contains("l1_share.most", "max_memory_mb"));
            assertThat(holds(tier, "blobs", "k")).isFalse();
            assertThat(local.put(tier, "others", "k", 150_000)).isInstanceOf(StoreOutcome.Applied.class);
        }
    }

    @Test
    void reportsCountByCacheClassCauseAndSize() {
        local.classShare("user:*", "users", 0, 50);
        try (OffHeapTier tier = local.open(1_000, 8, EvictionPolicy.LRU)) {
            for (int i = 0; i < 100; i++) {
                local.put(tier, "a", "user:" + i, 100);
                local.put(tier, "a", "k" + i, 3_000);
                local.put(tier, "b", "k" + i, 100);
            }
            local.clock.advance(LocalFixture.TTL.plusSeconds(2));
            int step = tier.clearing().end() / 50;
            for (int from = 0; tier.report().entries() > 150; from += step) {
                tier.clearing().expired(from, step);
            }
            LocalReport report = tier.report();
            assertThat(report.entries()).isBetween(100L, 150L);
            assertThat(report.evictions())
                    .containsEntry("expired", 300 - report.entries())
                    .containsEntry("size", 0L);
            assertThat(report.parts()).hasSize(3);
            assertThat(report.parts().stream()
                            .mapToLong(LocalReport.Part::entries)
                            .sum())
                    .isEqualTo(report.entries());
            assertThat(report.parts().stream()
                            .mapToLong(LocalReport.Part::bytes)
                            .sum())
                    .isEqualTo(report.memory().live());
            assertThat(report.parts().stream()
                            .mapToLong(part -> part.evictions().get("expired"))
                            .sum())
                    .isEqualTo(300 - report.entries());
            assertThat(report.sizes().stream()
                            .mapToLong(LocalReport.Size::entries)
                            .sum())
                    .isEqualTo(report.entries());
            assertThat(report.sizes()).hasSize(2);
        }
    }
}
