package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ClearingTest {
    private static final int KEYS = 100;

    @Test
    void oneThatCannotBeFreedKeepsNoneOfTheOthers() {
        freeAllBut1(Clearing::all);
    }

    @Test
    void oneThatHasExpiredAndCannotBeFreedKeepsNoneOfTheOthers() {
        freeAllBut1(clearing -> clearing.expired(0, KEYS));
    }

    private static void freeAllBut1(Consumer<Clearing> free) {
        MetricRegistry metrics = new MetricRegistry();
        HeapMap map = new HeapMap();
        Set<Long> lost = new HashSet<>();
        map.beforeEach(key -> {
            if (lost.contains(key.low)) {
                throw new IllegalStateException("cannot be read");
            }
        });
        ManualClock clock = ManualClock.startingNow();
        try (Shelf shelf = map.shelf(clock, metrics)) {
            LocalWrites writes = new LocalWrites(shelf, PersistedFixture.TTL.toMillis());
            for (int i = 0; i < KEYS; i++) {
                writes.store(PersistedFixture.entry(clock, i, i, new byte[10]), WriteCondition.IF_NEWER);
            }
            lost.add(shelf.hashOf(PersistedFixture.key(KEYS / 2)).low);
            Clearing clearing = new Clearing(shelf);
            clock.advance(PersistedFixture.TTL.multipliedBy(2));
            assertThatThrownBy(() -> free.accept(clearing)).isInstanceOf(IllegalStateException.class);
            assertThat(map.size()).isEqualTo(1);
            assertThat(metrics.counter("l1.errors").getCount()).isEqualTo(1);
            lost.clear();
            free.accept(clearing);
            assertThat(map.size()).isZero();
            assertThat(shelf.budget.entries()).isZero();
        }
    }
}
