package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A part of the map has no room though the bounds have. */
class FullPartTest {
    private static final int KEYS = 50;

    final ManualClock clock = ManualClock.startingNow();
    final MetricRegistry metrics = new MetricRegistry();
    final HeapMap map = new HeapMap();
    final Shelf shelf = map.shelf(clock, metrics);
    final LocalWrites writes = new LocalWrites(shelf, PersistedFixture.TTL.toMillis());

    private StoreOutcome store(int i) {
        return writes.store(PersistedFixture.entry(clock, i, i, new byte[10]), WriteCondition.IF_NEWER);
    }

    @Test
    void whereNobodyIsLeftToGoTheWriteIsRefusedAtOnce() {
        for (int i = 0; i < KEYS; i++) {
            store(i);
        }
        map.fill();
        for (int i = 0; map.size() > 0; i++) {
            assertThat(store(KEYS + i)).isInstanceOf(StoreOutcome.Refused.class);
        }
        int before = map.besides();
        assertThat(store(2 * KEYS)).isInstanceOf(StoreOutcome.Refused.class);
        assertThat(map.besides() - before)
                .as("how often the part was gone through")
                .isLessThanOrEqualTo(3);
        shelf.budget.check();
        assertThat(shelf.budget.entries()).isEqualTo(map.size());
        shelf.close();
    }

    @Test
    void aWriterThatMakesRoomEndsWhenTheTierIsClosedMeanwhile() {
        for (int i = 0; i < KEYS; i++) {
            store(i);
        }
        map.fill();
        map.whenRoomIsMade(shelf::close);
        StoreOutcome outcome = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> store(KEYS));
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        StoreOutcome.Unavailable.class,
                        no -> assertThat(no.cause()).isEqualTo(Unavailability.CLOSED));
    }
}
