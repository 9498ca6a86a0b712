package dev.terrace.tier.local;

import static dev.terrace.tier.local.LocalFixture.holds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LocalReport;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Zipf;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What many puts do to L1. {@code -Dterrace.l1.puts=100000000} for the long run. */
class LocalGrowthTest {
    private static final long PUTS = Long.getLong("terrace.l1.puts", 300_000);

    private static final long MOST_BYTES_PER_KIBIBYTE_ENTRY = 1_340;
    private static final int SCANS = 4;

    final LocalFixture local = new LocalFixture();

    long puts() {
        return PUTS;
    }

    /** The long run takes ten minutes. */
    @Test
    @Tag("F39")
    @Timeout(value = 1, unit = TimeUnit.HOURS)
    void manyPutsOfMixedSizesNeitherFailNorGrowBeyondTheBound() {
        SplittableRandom random = LocalFixture.random(getClass());
        long allowed = 32L << 20;
        long puts = puts();
        try (OffHeapTier tier = local.open(200_000, 32, EvictionPolicy.ADAPTIVE)) {
            long refused = 0;
            for (long put = 0; put < puts; put++) {
                // Small ones mostly, some thousands of bytes often, now and then a blob; what is usual changes in
                // between.
                int shape = random.nextInt(100);
                int usual = (int) (put * 8 / puts) % 2 == 0 ? 200 : 1_500;
                int bytes = shape < 80
                        ? random.nextInt(usual)
                        : shape < 99 ? random.nextInt(8_000) : random.nextInt(100_000);
                StoreOutcome outcome = tier.store(
                        local.entry(
                                CacheKey.of("c" + random.nextInt(3), "k" + random.nextInt(500_000)),
                                new byte[bytes],
                                LocalFixture.TTL),
                        WriteCondition.IF_NEWER);
                refused += outcome instanceof StoreOutcome.Applied ? 0 : 1;
                if (put % 1_000 == 0) {
                    local.clock.advance(java.time.Duration.ofMillis(1));
                    assertThat(tier.shelf().budget.bytes())
                            .isLessThanOrEqualTo(tier.shelf().budget.maxBytes());
                }
            }
            tier.shelf().budget.check();
            System.out.println("refused " + refused + " of " + puts + ", segments full "
                    + local.metrics.counter("l1.segments.full").getCount() + ", evicted "
                    + local.evictions(EvictionCause.SIZE) + ", " + tier.report().memory());
            assertThat(refused).isZero();
            LocalReport.Memory memory = tier.report().memory();
            assertThat(memory.reserved()).isLessThanOrEqualTo(allowed);
            assertThat(memory.resident() + memory.index() + memory.heap())
                    .as("all that is touched")
                    .isLessThanOrEqualTo(allowed);
            assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
            // Evictions for a full part of the map must not empty the rest.
            assertThat(tier.shelf().budget.bytes())
                    .isGreaterThan(tier.shelf().budget.maxBytes() / 2);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "1000, 1",
        "10000, 100",
        "200000, 32",
        "10000000, 16",
        "60000, 96",
        "100, 200",
        "2000, 1000",
        "60000, 1000"
    })
    void whateverTheSettingsAllThatIsReservedIsBelowWhatIsAllowed(long capacity, long mebibytes) {
        try (OffHeapTier tier = local.share("c", 0, 100).open(capacity, mebibytes, EvictionPolicy.W_TINYLFU)) {
            LocalReport.Memory memory = tier.report().memory();
            System.out.println(capacity + " in " + mebibytes + " MiB: " + memory);
            assertThat(memory.reserved() + memory.index() + memory.heap()).isLessThanOrEqualTo(memory.allowed());
        }
    }

    @Test
    @Tag("F39")
    void blobsAsLargeAsTheyMayBeNeitherGrowItNorPushOutAllTheRest() {
        SplittableRandom random = LocalFixture.random(getClass());
        try (OffHeapTier tier = local.open(20_000, 32, EvictionPolicy.ADAPTIVE)) {
            int largest = tier.shelf().shape.largestValueBytes() - 200;
            long reserved = tier.reservedBytes();
            long least = Long.MAX_VALUE;
            for (int put = 0; put < 20_000; put++) {
                boolean blob = random.nextInt(50) == 0;
                int bytes = blob ? largest / 2 + random.nextInt(largest / 2) : random.nextInt(3_000);
                assertThat(local.put(tier, "c", (blob ? "blob" : "k") + random.nextInt(30_000), bytes))
                        .isInstanceOf(StoreOutcome.Applied.class);
                least = put < 10_000
                        ? least
                        : Math.min(least, tier.shelf().budget.bytes());
            }
            System.out.println(
                    "segments full " + local.metrics.counter("l1.segments.full").getCount() + ", least held " + least
                            + " of " + tier.shelf().budget.maxBytes());
            assertThat(tier.reservedBytes()).isEqualTo(reserved).isLessThanOrEqualTo(32L << 20);
            assertThat(least).isGreaterThan(tier.shelf().budget.maxBytes() * 4 / 10);
            tier.shelf().budget.check();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void memoryThatIsReportedIsWhatTheProcessHasTakenAndBelowWhatIsAllowed(@TempDir Path folder) throws Exception {
        Footprint.Figures figures = Footprint.measured(folder);
        System.out.println(figures);
        assertThat(figures.resident()).isBetween(figures.live() * 95 / 100, figures.live() * 120 / 100);
        assertThat(figures.resident() + figures.tables()).isLessThanOrEqualTo(figures.allowed());
        assertThat((figures.resident() + figures.tables()) / figures.entries())
                .as("bytes for an entry of 1 KiB, everything counted")
                .isLessThanOrEqualTo(MOST_BYTES_PER_KIBIBYTE_ENTRY);
        // The tables on the heap were touched with the heap; the rest of the process moves by some MiB.
        assertThat(figures.grown())
                .isBetween(figures.resident() - (8L << 20), figures.resident() + figures.tables() + (48L << 20))
                .isLessThanOrEqualTo(figures.allowed());
    }

    @Test
    void aScanOfTenCapacitiesThroughTheWholeTierHardlyTouchesTheHotSet() {
        SplittableRandom random = new SplittableRandom(20_031);
        int capacity = 2_000;
        Zipf hot = new Zipf(6_000, 1.1);
        try (OffHeapTier tier = local.open(capacity, 16, EvictionPolicy.ADAPTIVE)) {
            ratio(tier, hot, random, 60_000);
            double before = 0;
            double after = 0;
            // One scan's share of hits is a throw of dice within half a point.
            for (int scan = 0; scan < SCANS; scan++) {
                before += ratio(tier, hot, random, 20_000) / SCANS;
                for (int i = 0; i < 10 * capacity; i++) {
                    local.put(tier, "c", "once-" + scan + "-" + i, 100);
                }
                after += ratio(tier, hot, random, 2 * capacity) / SCANS;
            }
            System.out.println("hot set before scans " + before + " after " + after);
            assertThat(after).isGreaterThan(before - 2);
        }
    }

    private double ratio(OffHeapTier tier, Zipf hot, SplittableRandom random, int reads) {
        int hits = 0;
        for (int i = 0; i < reads; i++) {
            String key = "hot-" + hot.rank(random);
            if (holds(tier, "c", key)) {
                hits++;
            } else {
                local.put(tier, "c", key, 100);
            }
        }
        return 100.0 * hits / reads;
    }
}
