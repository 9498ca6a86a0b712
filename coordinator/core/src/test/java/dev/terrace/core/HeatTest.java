package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.terrace.spi.CacheKey;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.datasketches.frequencies.ItemsSketch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which keys are hot, and how sure that is. */
class HeatTest {
    private static final int WEIGHT = 128;

    /** Reads of which the n-th key has a share of 1/n, of the true counts. */
    private static final class Stream {
        private final double[] upTo;
        private final long[] counts;
        private final Random random = new Random(7);

        Stream(int keys) {
            upTo = new double[keys];
            counts = new long[keys];
            double sum = 0;
            for (int i = 0; i < keys; i++) {
                sum += 1.0 / (i + 1);
                upTo[i] = sum;
            }
        }

        /** Reads into {@code heat}, the ranks of all keys moved on by {@code shift}. */
        void read(Heat heat, int reads, int shift) {
            for (int i = 0; i < reads; i++) {
                int found = Arrays.binarySearch(upTo, random.nextDouble() * upTo[upTo.length - 1]);
                int key = ((found < 0 ? -found - 1 : found) + shift) % upTo.length;
                counts[key] += WEIGHT;
                heat.used(key(key), WEIGHT);
            }
        }

        void cool() {
            Arrays.setAll(counts, i -> counts[i] / 2);
        }

        long of(HotKey hot) {
            return counts[Integer.parseInt(hot.key().toString().substring("quotes/k".length()))];
        }
    }

    private static CacheKey key(int number) {
        return CacheKey.of("quotes", "k" + number);
    }

    private static void assertBounds(Stream stream, List<HotKey> hottest) {
        assertThat(hottest).allSatisfy(hot -> assertThat(stream.of(hot)).isBetween(hot.reads(), hot.atMost()));
    }

    @ParameterizedTest
    @CsvSource({"100, 1024", "5000, 8192"})
    void theHottestOfASkewedStreamAreFoundWithCountsThatAreBounds(int keys, int slotsOfStripe) {
        Heat heat = new Heat(keys);
        Stream stream = new Stream(200_000);
        int reads = 300_000;
        stream.read(heat, reads, 0);

        List<HotKey> hottest = heat.hottest(Integer.MAX_VALUE);
        assertThat(hottest).hasSize(keys);
        assertBounds(stream, hottest);
        long mostMissed = (long) (ItemsSketch.getEpsilon(slotsOfStripe) * reads * WEIGHT);
        assertThat(hottest).allMatch(hot -> hot.atMost() - hot.reads() <= mostMissed);
        assertThat(hottest).anyMatch(hot -> hot.atMost() > hot.reads());
        long certainlyTold = hottest.get(keys - 1).reads() + mostMissed;
        Set<CacheKey> told = new HashSet<>();
        hottest.forEach(hot -> told.add(hot.key()));
        for (int i = 0; i < stream.counts.length; i++) {
            if (stream.counts[i] > certainlyTold) {
                assertThat(told).contains(key(i));
            }
        }
        assertThat(heat.hottest(3)).extracting(HotKey::key).containsExactly(key(0), key(1), key(2));
    }

    @Test
    void whatIsHotNoMoreGivesWayAndTheBoundsHoldMeanwhile() {
        Heat heat = new Heat(100);
        Stream stream = new Stream(20_000);
        for (int round = 0; round < 8; round++) {
            stream.read(heat, 30_000, round * 1_000);
            assertThat(heat.hottest(1)).extracting(HotKey::key).containsExactly(key(round * 1_000));
            List<HotKey> before = heat.hottest(Integer.MAX_VALUE);
            assertBounds(stream, before);
            assertThat(before).anyMatch(hot -> hot.atMost() > hot.reads());
            assertThat(heat.hottestThenCool().get(0).weight())
                    .isEqualTo(before.get(0).reads());
            stream.cool();
            assertBounds(stream, heat.hottest(Integer.MAX_VALUE));
        }
        for (int i = 0; i < 40; i++) {
            heat.hottestThenCool();
        }
        assertThat(heat.hottest(1)).isEmpty();
    }

    @Test
    void howManyKeysAreCountedIsBounded() {
        HeatStripe stripe = new HeatStripe(HeatStripe.slotsFor(100));
        for (int i = 0; i < 100_000; i++) {
            stripe.used(key(i), WEIGHT);
        }
        assertThat(stripe.hottest()).hasSizeBetween(1, HeatStripe.keysIn(HeatStripe.slotsFor(100)));
    }

    @Test
    void longKeysAreNotCountedNorIsAnyWhenNoneIsWanted() {
        Heat heat = new Heat(10);
        heat.used(CacheKey.of("quotes", "k".repeat(HeatNote.LONGEST_KEY_BYTES + 1)), WEIGHT);
        assertThat(heat.hottest(1)).isEmpty();
        Heat none = new Heat(0);
        none.used(key(1), WEIGHT);
        assertThat(none.hottest(1)).isEmpty();
        assertThat(none.hottestThenCool()).isEmpty();
    }

    @Test
    void aReadDoesNotWaitForAReportAndAllocatesNothing() throws Exception {
        HeatStripe stripe = new HeatStripe(1_024);
        CacheKey key = key(1);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        stripe.used(key, WEIGHT);
        threads.getCurrentThreadAllocatedBytes();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10_000; i++) {
            stripe.used(key, WEIGHT);
        }
        assertThat((threads.getCurrentThreadAllocatedBytes() - before) / 10_000).isZero();
        List<HotKey> counted = stripe.hottest();

        ExecutorService reader = Executors.newSingleThreadExecutor();
        stripe.lock.lock();
        try {
            reader.submit(() -> stripe.used(key, WEIGHT)).get(30, TimeUnit.SECONDS);
        } finally {
            stripe.lock.unlock();
            reader.shutdownNow();
        }
        assertThat(stripe.hottest()).isEqualTo(counted);
    }

    @Test
    void manyThreadsCountReportAndCoolAtOnceAndNothingIsCountedTwice() throws Exception {
        int each = 50_000;
        int keys = 2_000;
        Heat heat = new Heat(100);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                all.add(threads.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        heat.used(key(i % keys), 1);
                    }
                }));
            }
            all.add(threads.submit(() -> {
                for (int i = 0; i < 200; i++) {
                    heat.hottest(10);
                    if (i % 50 == 0) {
                        heat.hottestThenCool();
                    }
                }
            }));
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        heat.used(key(1), 1);
        assertThat(heat.hottest(Integer.MAX_VALUE))
                .isNotEmpty()
                .allMatch(hot -> hot.reads() > 0 && hot.reads() <= 3L * each / keys + 1 && hot.reads() <= hot.atMost());
    }
}
