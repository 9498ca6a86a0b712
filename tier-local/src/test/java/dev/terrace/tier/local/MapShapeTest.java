package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MapShapeTest {
    private static MapShape shape(long capacity, long mebibytes) {
        return MapShape.of(
                new LocalCacheSettings(
                        true, capacity, mebibytes, LocalFixture.TTL, EvictionPolicy.LRU, Duration.ofSeconds(1)),
                false);
    }

    @Test
    void theLargestThatSettingsAllowCanBeLaidOut() {
        for (long capacity : new long[] {1, 1_000_000, 500_000_000}) {
            MapShape shape = shape(capacity, 1 << 20);
            assertThat(shape.charge(shape.largestValueBytes()))
                    .as("%s", shape)
                    .isBetween(shape.largestValueBytes(), Integer.MAX_VALUE);
            assertThat((long) shape.charge(shape.largestValueBytes()) * shape.segments())
                    .isLessThan(shape.layoutBytes());
        }
    }

    @Test
    void theLargestValueTakesAQuarterOfAPartHoweverManyPartsThereAre() {
        for (long capacity : new long[] {1_000, 10_000_000, 500_000_000}) {
            for (long mebibytes = 1; mebibytes <= 1 << 20; mebibytes *= 2) {
                MapShape shape = shape(capacity, mebibytes);
                assertThat(shape.partBytes(MemoryMap.partsFor(shape)) / 4)
                        .as("in memory, %s", shape)
                        .isGreaterThanOrEqualTo(shape.largestValueBytes());
                assertThat(FileLayout.of(shape).segmentBytes() / 4)
                        .as("in a file, %s", shape)
                        .isGreaterThanOrEqualTo(shape.largestValueBytes());
            }
        }
    }

    @Test
    void whatIsReservedForEntriesInMemoryDoesNotCountTheIndexASecondTime() {
        try (OffHeapTier tier = new LocalFixture().open(10_000, 64, EvictionPolicy.LRU)) {
            int parts = tier.shelf().tiers();
            assertThat(tier.report().memory().reserved())
                    .isEqualTo(tier.shelf().shape.partBytes(parts) * parts);
        }
    }
}
