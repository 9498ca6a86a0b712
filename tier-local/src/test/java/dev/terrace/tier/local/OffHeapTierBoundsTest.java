package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;
import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OffHeapTierBoundsTest {
    private static final Duration TTL = Duration.ofHours(1);

    final LocalFixture local = new LocalFixture();
    private final ManualClock clock = local.clock;
    private final MetricRegistry metrics = local.metrics;
    private final AtomicInteger counter = new AtomicInteger();

    private OffHeapTier open(long capacity, long mebibytes, EvictionPolicy policy) {
        return local.open(
                new LocalCacheSettings(true, capacity, mebibytes, TTL, policy, Duration.ofMillis(20)), new Groups());
    }

    private Entry entry(String key, byte[] payload) {
        return value(
                CacheKey.of("c", key),
                version(clock.millis(), counter.incrementAndGet() & 0xFFFF),
                clock.millis(),
                TTL,
                payload);
    }

    private static boolean holds(OffHeapTier tier, String key) {
        return tier.get(CacheKey.of("c", key)).toCompletableFuture().join() instanceof Lookup.Hit;
    }

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void neverHoldsMoreEntriesThanItsCapacity(EvictionPolicy policy) {
        try (OffHeapTier tier = open(1_000, 64, policy)) {
            for (int i = 0; i < 5_000; i++) {
                assertThat(tier.store(entry("k" + i, new byte[100]), WriteCondition.IF_NEWER))
                        .isInstanceOf(StoreOutcome.Applied.class);
                assertThat(tier.status().entries()).isLessThanOrEqualTo(1_000);
            }
            assertThat(tier.status().entries()).isEqualTo(1_000);
            assertThat(metrics.counter("l1.evictions.size").getCount()).isEqualTo(4_000);
        }
    }

    @Test
    void theSameVersionStoredAgainEndsWhenItIsToldTo() {
        try (OffHeapTier tier = open(64, 16, EvictionPolicy.LRU)) {
            Entry brief = entry("k", new byte[100]);
            tier.store(brief, WriteCondition.IF_NEWER);
            Entry longer =
                    value(brief.key(), brief.version(), brief.createdMillis(), TTL.multipliedBy(2), brief.payload());
            clock.advance(TTL.dividedBy(2));
            assertThat(tier.store(longer, new WriteCondition.IfVersion(brief.version())))
                    .isInstanceOf(StoreOutcome.Applied.class);
            clock.advance(TTL.dividedBy(4).multipliedBy(3));
            assertThat(tier.get(brief.key()).toCompletableFuture().join()).isEqualTo(new Lookup.Hit(longer));
            tier.clearing().expired(0, 64);
            assertThat(holds(tier, "k")).isTrue();
        }
    }

    @Test
    void theSweeperNeverTakesWhatReplacedTheEntryItSawExpired() throws Exception {
        ExecutorService sweeping = Executors.newSingleThreadExecutor();
        AtomicBoolean done = new AtomicBoolean();
        try (OffHeapTier tier = open(64, 16, EvictionPolicy.LRU)) {
            Future<?> sweeper = sweeping.submit(() -> {
                while (!done.get()) {
                    tier.clearing().expired(0, 64);
                }
            });
            for (int round = 0; round < 20_000; round++) {
                tier.store(entry("k", new byte[10]), WriteCondition.IF_NEWER);
                assertThat(holds(tier, "k")).as("round %d", round).isTrue();
                clock.advance(TTL.plusSeconds(2));
            }
            done.set(true);
            sweeper.get(20, TimeUnit.SECONDS);
        } finally {
            done.set(true);
            sweeping.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void writersThatEvictForEachOtherNeverStoreAnEntryWithoutASlot(EvictionPolicy policy) throws Exception {
        int keys = 400;
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (OffHeapTier tier = open(64, 16, policy)) {
            List<Future<?>> writers = new ArrayList<>();
            for (int writer = 0; writer < 8; writer++) {
                int first = writer * 50;
                writers.add(threads.submit(() -> {
                    for (int i = 0; i < 6_000; i++) {
                        tier.store(entry("k" + (first + i) % keys, new byte[10]), WriteCondition.IF_NEWER);
                        holds(tier, "k" + (first + i / 2) % keys);
                        assertThat(tier.status().entries()).isLessThanOrEqualTo(64);
                    }
                }));
            }
            for (Future<?> writer : writers) {
                writer.get(60, TimeUnit.SECONDS);
            }
            int held = 0;
            for (int i = 0; i < keys; i++) {
                held += holds(tier, "k" + i) ? 1 : 0;
            }
            assertThat(metrics.counter("l1.errors").getCount()).isZero();
            assertThat((long) held).isEqualTo(tier.status().entries()).isLessThanOrEqualTo(64);
        } finally {
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = EvictionPolicy.class,
            names = {"LFU", "S3_FIFO", "ADAPTIVE"})
    @Tag("F39")
    void neverUsesMoreMemoryThanAllowedWhateverTheSizes(EvictionPolicy policy) throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("OffHeapTierBoundsTest seed=" + seed);
        long mebibytes = 16;
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (OffHeapTier tier = open(100_000, mebibytes, policy)) {
            List<Future<Integer>> writers = new ArrayList<>();
            for (int writer = 0; writer < 4; writer++) {
                SplittableRandom random = new SplittableRandom(seed ^ (writer * 0x9E3779B97F4A7C15L));
                writers.add(threads.submit(() -> {
                    int applied = 0;
                    for (int i = 0; i < 4_000; i++) {
                        int size = random.nextInt(10) == 0 ? random.nextInt(100_000) : random.nextInt(2_000);
                        StoreOutcome outcome = tier.store(
                                entry("k" + random.nextInt(20_000), new byte[size]), WriteCondition.IF_NEWER);
                        assertThat(outcome).isNotInstanceOf(StoreOutcome.Unavailable.class);
                        assertThat(tier.status().bytes()).isLessThanOrEqualTo(mebibytes << 20);
                        assertThat(tier.reservedBytes()).isLessThanOrEqualTo(mebibytes << 20);
                        applied += outcome instanceof StoreOutcome.Applied ? 1 : 0;
                    }
                    return applied;
                }));
            }
            int applied = 0;
            for (Future<Integer> writer : writers) {
                applied += writer.get(100, TimeUnit.SECONDS);
            }
            assertThat(applied).isGreaterThan(14_000);
            assertThat(tier.status().entries()).isGreaterThan(500);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    @Tag("F39")
    void whatIsTooLargeIsRefusedByNameAndTheOlderValueIsGone() {
        try (OffHeapTier tier = open(1_000, 8, EvictionPolicy.LRU)) {
            tier.store(entry("k", new byte[10]), WriteCondition.IF_NEWER);
            clock.advance(Duration.ofMillis(1));
            StoreOutcome outcome = tier.store(entry("k", new byte[8 << 20]), WriteCondition.IF_NEWER);
            assertThat(outcome).isInstanceOfSatisfying(StoreOutcome.Refused.class, no -> {
                assertThat(no.tier()).isEqualTo(TierLevel.L1);
                assertThat(no.reason()).contains("exceeds the largest").contains("max_memory_mb");
            });
            assertThat(holds(tier, "k")).isFalse();
        }
    }

    @Test
    @Tag("F39")
    void aCapacityFarBeyondItsMemoryStillUsesTheMemory() {
        try (OffHeapTier tier = open(10_000_000, 16, EvictionPolicy.LRU)) {
            for (int i = 0; i < 10_000; i++) {
                tier.store(entry("k" + i, new byte[500]), WriteCondition.IF_NEWER);
            }
            assertThat(tier.status().bytes()).isGreaterThan(4L << 20);
            assertThat(tier.reservedBytes()).isLessThanOrEqualTo(16L << 20);
        }
    }

    @Test
    void leastRecentlyUsedGoesFirst() {
        try (OffHeapTier tier = open(200, 8, EvictionPolicy.LRU)) {
            for (int i = 0; i < 200; i++) {
                tier.store(entry("k" + i, new byte[10]), WriteCondition.IF_NEWER);
            }
            clock.advance(Duration.ofSeconds(1));
            for (int i = 0; i < 50; i++) {
                assertThat(holds(tier, "k" + i)).isTrue();
            }
            clock.advance(Duration.ofSeconds(1));
            for (int i = 0; i < 100; i++) {
                tier.store(entry("new" + i, new byte[10]), WriteCondition.IF_NEWER);
            }
            long kept = java.util.stream.IntStream.range(0, 50)
                    .filter(i -> holds(tier, "k" + i))
                    .count();
            assertThat(kept)
                    .as("of 50 entries read lately, 150 older ones being there")
                    .isGreaterThanOrEqualTo(45);
        }
    }

    @Test
    void leastFrequentlyUsedGoesFirst() {
        try (OffHeapTier tier = open(200, 8, EvictionPolicy.LFU)) {
            for (int i = 0; i < 200; i++) {
                tier.store(entry("k" + i, new byte[10]), WriteCondition.IF_NEWER);
            }
            for (int round = 0; round < 100; round++) {
                for (int i = 0; i < 20; i++) {
                    holds(tier, "k" + i);
                }
            }
            for (int i = 0; i < 150; i++) {
                tier.store(entry("new" + i, new byte[10]), WriteCondition.IF_NEWER);
            }
            long kept = java.util.stream.IntStream.range(0, 20)
                    .filter(i -> holds(tier, "k" + i))
                    .count();
            assertThat(kept).as("of 20 popular entries").isGreaterThanOrEqualTo(18);
        }
    }

    @Test
    void aFloodOfBlobsDoesNotPushOutSessions() {
        int sessions = 3_000;
        SplittableRandom random = new SplittableRandom(5);
        try (OffHeapTier tier = open(100_000, 16, EvictionPolicy.ADAPTIVE)) {
            int hits = 0;
            for (int i = 0; i < 40_000; i++) {
                String session = "session" + random.nextInt(sessions);
                boolean hit = holds(tier, session);
                hits += hit && i >= 20_000 ? 1 : 0;
                if (!hit) {
                    tier.store(entry(session, new byte[600]), WriteCondition.IF_NEWER);
                }
                if (i % 20 == 0) {
                    tier.store(entry("blob" + i, new byte[60_000]), WriteCondition.IF_NEWER);
                }
            }
            assertThat(hits / 20_000.0)
                    .as("sessions that stay, 2 MiB of them, while 57 MiB of blobs pass")
                    .isGreaterThan(0.97);
        }
    }

    @Test
    void expiredEntriesAreSweptWithoutBeingRead() {
        try (OffHeapTier tier = open(1_000, 8, EvictionPolicy.LRU)) {
            for (int i = 0; i < 500; i++) {
                tier.store(entry("k" + i, new byte[10]), WriteCondition.IF_NEWER);
            }
            clock.advance(TTL.plusSeconds(2));
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> tier.status().entries() == 0);
            assertThat(metrics.counter("l1.evictions.expired").getCount()).isEqualTo(500);
        }
    }

    @Test
    void aClearedCacheGivesItsSpaceBack() {
        try (OffHeapTier tier = open(1_000, 8, EvictionPolicy.LRU)) {
            for (int i = 0; i < 300; i++) {
                tier.store(entry("k" + i, new byte[10]), WriteCondition.IF_NEWER);
            }
            Entry other = value(CacheKey.of("other", "k"), version(clock.millis(), 1), clock.millis(), TTL, "x");
            tier.store(other, WriteCondition.IF_NEWER);
            tier.clear("c", version(clock.millis(), 0xFFFF));
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> tier.status().entries() == 1);
        }
    }

    @Test
    void differentKeysUnderOneHashAreNeverMixedUp() {
        KeyHash colliding = (bytes, length, nameLength, into) -> {
            into[0] = 1;
            into[1] = 2;
        };
        try (OffHeapTier tier = new OffHeapTier(
                new LocalCacheSettings(true, 100, 8, TTL, EvictionPolicy.LRU, Duration.ofSeconds(1)),
                clock,
                metrics,
                colliding)) {
            tier.store(entry("a", new byte[] {1}), WriteCondition.IF_NEWER);
            assertThat(holds(tier, "a")).isTrue();
            assertThat(holds(tier, "b")).isFalse();
            tier.store(entry("b", new byte[] {2}), WriteCondition.IF_NEWER);
            assertThat(holds(tier, "b")).isTrue();
            assertThat(holds(tier, "a")).isFalse();
            assertThat(tier.status().entries()).isEqualTo(1);
            assertThat(metrics.counter("l1.collisions").getCount()).isPositive();
        }
    }

    @Test
    @Tag("F74")
    void closingUnderAStormOfCallsNeverTouchesFreedMemory() throws Exception {
        for (int round = 0; round < 10; round++) {
            OffHeapTier tier = open(10_000, 16, EvictionPolicy.LRU);
            for (int i = 0; i < 1_000; i++) {
                tier.store(entry("k" + i, new byte[500]), WriteCondition.IF_NEWER);
            }
            AtomicBoolean stop = new AtomicBoolean();
            AtomicInteger calls = new AtomicInteger();
            ExecutorService threads = Executors.newFixedThreadPool(6);
            try {
                List<Future<?>> storm = new ArrayList<>();
                for (int thread = 0; thread < 6; thread++) {
                    int mine = thread;
                    storm.add(threads.submit(() -> {
                        for (int i = 0; !stop.get(); i++) {
                            if (mine % 3 == 0) {
                                tier.store(entry("k" + i % 2_000, new byte[300]), WriteCondition.IF_NEWER);
                            } else {
                                holds(tier, "k" + i % 2_000);
                            }
                            calls.incrementAndGet();
                        }
                    }));
                }
                Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> calls.get() > 20_000);
                tier.close();
                int atClose = calls.get();
                Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> calls.get() > atClose + 20_000);
                stop.set(true);
                for (Future<?> one : storm) {
                    one.get(20, TimeUnit.SECONDS);
                }
            } finally {
                stop.set(true);
                threads.shutdownNow();
            }
        }
    }
}
