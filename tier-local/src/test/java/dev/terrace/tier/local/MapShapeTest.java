package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MapShapeTest {
    @Test
    void theLargestThatSettingsAllowCanBeLaidOut() {
        for (long capacity : new long[] {1, 1_000_000, 500_000_000}) {
            MapShape shape = MapShape.of(
                    new LocalCacheSettings(
                            true, capacity, 1 << 20, LocalFixture.TTL, EvictionPolicy.LRU, Duration.ofSeconds(1)),
                    false);
            assertThat(shape.charge(shape.largestValueBytes()))
                    .as("%s", shape)
                    .isBetween(shape.largestValueBytes(), Integer.MAX_VALUE);
            assertThat((long) shape.charge(shape.largestValueBytes()) * shape.segments())
                    .isLessThan(shape.layoutBytes());
        }
    }
}
