package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.StoreOutcome;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same over a file, as far as it is about the map. */
class PersistedGrowthTest extends LocalGrowthTest {
    @TempDir
    Path folder;

    @BeforeEach
    void inAFile() {
        local.persistIn(folder);
    }

    @Override
    long puts() {
        return super.puts() / 4;
    }

    @Test
    @Tag("F39")
    void aBlobCostsAsMuchOfTheOthersAsItTakesAndNoMore() {
        int ordinary = 1_000;
        try (OffHeapTier tier = local.open(100_000, 64, EvictionPolicy.ADAPTIVE)) {
            Budget budget = tier.shelf().budget;
            int blob = tier.shelf().shape.largestValueBytes() - 200;
            for (int i = 0; i < 60_000; i++) {
                local.put(tier, "c", "k" + i, ordinary);
            }
            for (int i = 0; i < 20; i++) {
                assertThat(local.put(tier, "c", "blob" + i, blob)).isInstanceOf(StoreOutcome.Applied.class);
                // For the bound goes who is worth the least, at most a blob too much; besides goes what is in the way,
                // with two
                // at the edges.
                assertThat(budget.bytes()).isGreaterThan(budget.maxBytes() - 2 * blob - 4 * ordinary);
                for (int refill = 0; budget.bytes() + 2 * ordinary < budget.maxBytes(); refill++) {
                    local.put(tier, "c", "refill" + i + "-" + refill, ordinary);
                }
            }
            assertThat(local.metrics.counter("l1.segments.full").getCount()).isPositive();
            budget.check();
        }
    }

    @Override
    @ParameterizedTest
    @CsvSource({"1, 1", "10000000, 16", "60000, 32"})
    void whateverTheSettingsAllThatIsReservedIsBelowWhatIsAllowed(long capacity, long mebibytes) {
        super.whateverTheSettingsAllThatIsReservedIsBelowWhatIsAllowed(capacity, mebibytes);
    }

    @Override
    void memoryThatIsReportedIsWhatTheProcessHasTakenAndBelowWhatIsAllowed(Path ignored) {
        // The system takes and drops the pages of a file as it likes.
    }

    @Override
    void aScanOfTenCapacitiesThroughTheWholeTierHardlyTouchesTheHotSet() {
        // Whatever the map.
    }
}
