package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.testkit.ManualClock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ClearingTest {
    private static final int KEYS = 100;

    /** A map of which some entries lie where the disk does not give what it has. */
    private static final class FailingMap implements EntryMap {
        final Set<Long> lost = new HashSet<>();
        private final Set<Long> held = new HashSet<>();

        private void read(HashKey key) {
            if (lost.contains(key.low)) {
                throw new IllegalStateException("cannot be read");
            }
        }

        @Override
        public boolean get(HashKey key, StoredValue using) {
            read(key);
            using.damaged();
            return held.contains(key.low);
        }

        @Override
        public @Nullable String put(HashKey key, StoredValue value) {
            held.add(key.low);
            return null;
        }

        @Override
        public void remove(HashKey key) {
            read(key);
            held.remove(key.low);
        }

        @Override
        public List<Resident> beside(HashKey key) {
            return new ArrayList<>();
        }

        @Override
        public long reservedBytes() {
            return 0;
        }

        @Override
        public int size() {
            return held.size();
        }

        @Override
        public Pages pages() {
            throw new UnsupportedOperationException();
        }

        @Override
        public String description() {
            return "fails";
        }

        @Override
        public void close(boolean alone) {}
    }

    @Test
    void oneThatCannotBeFreedKeepsNoneOfTheOthers() {
        LocalCacheSettings settings = PersistedFixture.settings(KEYS, 8);
        Groups groups = new Groups();
        FailingMap map = new FailingMap();
        MetricRegistry metrics = new MetricRegistry();
        try (Shelf shelf = new Shelf(
                settings,
                groups,
                ManualClock.startingNow(),
                new LocalCounters(metrics),
                KeyHash.XXH128,
                MapShape.of(settings, false),
                map)) {
            StoredValue value = new StoredValue();
            for (int i = 0; i < KEYS; i++) {
                HashKey key = shelf.hashOf(PersistedFixture.key(i));
                int group = groups.of(PersistedFixture.key(i));
                assertThat(shelf.budget.tryReserve(group, 0, 64)).isEqualTo(Budget.Lack.NOTHING);
                value.slot = shelf.table.allocate(key.high, key.low, 64, Integer.MAX_VALUE, group);
                map.put(key, value);
                if (i == KEYS / 2) {
                    map.lost.add(key.low);
                }
            }
            Clearing clearing = new Clearing(shelf);
            assertThatThrownBy(clearing::all).isInstanceOf(IllegalStateException.class);
            assertThat(map.size()).isEqualTo(1);
            assertThat(metrics.counter("l1.errors").getCount()).isEqualTo(1);
            map.lost.clear();
            clearing.all();
            assertThat(map.size()).isZero();
            assertThat(shelf.budget.entries()).isZero();
        }
    }
}
