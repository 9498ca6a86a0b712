package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.Gauge;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalCountersTest {
    final LocalFixture local = new LocalFixture();

    @Test
    void aClosedTierLeavesNothingInTheRegistryThatKeepsItInMemory(@TempDir Path folder) {
        local.persistIn(folder);
        local.open(100, 8, EvictionPolicy.LRU).close();
        assertThat(local.metrics.getGauges()).isEmpty();
        assertThat(local.metrics.getCounters()).as("what was counted stays").isNotEmpty();
    }

    @Test
    void theGaugesOfALaterTierStay() {
        OffHeapTier former = local.open(100, 8, EvictionPolicy.LRU);
        try (OffHeapTier later = local.open(100, 8, EvictionPolicy.LRU)) {
            Map<String, Gauge<?>> gauges = Map.copyOf(gauges());
            former.close();
            assertThat(gauges()).isEqualTo(gauges);
            local.put(later, "c", "k", 10);
            assertThat(gauges().get("l1.entries").getValue()).isEqualTo(1L);
        }
    }

    @SuppressWarnings("unchecked") // The registry speaks of raw gauges.
    private Map<String, Gauge<?>> gauges() {
        return (Map<String, Gauge<?>>) (Map<String, ?>) local.metrics.getGauges();
    }
}
