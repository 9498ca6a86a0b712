package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SweeperTest {
    private static final int KEYS = 50;
    private static final Duration NEVER = Duration.ofHours(1);

    final ManualClock clock = ManualClock.startingNow();
    final MetricRegistry metrics = new MetricRegistry();
    final HeapMap map = new HeapMap();
    final Shelf shelf = map.shelf(clock, metrics);
    final LocalWrites writes = new LocalWrites(shelf, LocalFixture.TTL.toMillis());
    final Cleared cleared = new Cleared(shelf);
    final Sweeper sweeper = new Sweeper(new Clearing(shelf), cleared, () -> {}, NEVER);

    @AfterEach
    void close() {
        sweeper.close();
        shelf.close();
    }

    private void fill(String cache, Duration ttl) {
        for (int i = 0; i < KEYS; i++) {
            CacheKey key = CacheKey.of(cache, "k" + i);
            writes.store(value(key, version(clock.millis(), i), clock.millis(), ttl, "v"), WriteCondition.IF_NEWER);
        }
    }

    private long low(String cache, int i) {
        return shelf.hashOf(CacheKey.of(cache, "k" + i)).low;
    }

    private Version now() {
        return version(clock.millis(), KEYS);
    }

    @Test
    void aClearThatComesWhileAnotherIsWorkedOffKeepsNoTickFromEnding() {
        Version before = now();
        clock.advance(Duration.ofMillis(1));
        fill("c", LocalFixture.TTL);
        map.beforeEach(key -> cleared.add("c", before));
        cleared.add("c", before);
        assertTimeoutPreemptively(Duration.ofSeconds(30), sweeper::tick);
        assertThat(shelf.budget.entries()).isEqualTo(KEYS);
    }

    @Test
    void manyClearsAreOneWalkWhichReadsNothingOfOtherCaches() {
        fill("a", LocalFixture.TTL);
        fill("b", LocalFixture.TTL);
        fill("other", LocalFixture.TTL);
        AtomicInteger asked = new AtomicInteger();
        map.beforeEach(key -> asked.incrementAndGet());
        Version upTo = now();
        cleared.add("a", upTo);
        for (int i = 0; i < 100; i++) {
            cleared.add("a", version(clock.millis() - 1, i));
            cleared.add("b", upTo);
        }
        cleared.free(Long.MAX_VALUE);
        assertThat(shelf.budget.entries()).isEqualTo(KEYS);
        assertThat(metrics.counter("l1.evictions.cleared").getCount()).isEqualTo(2 * KEYS);
        assertThat(asked.get()).as("one read and one removal each").isEqualTo(4 * KEYS);
        cleared.free(Long.MAX_VALUE);
        assertThat(asked.get()).as("nothing is left to do").isEqualTo(4 * KEYS);
    }

    @Test
    void aWalkGoesOnWhereItWasWhenItsTimeWasOver() {
        fill("c", LocalFixture.TTL);
        cleared.add("c", now());
        clock.advance(Duration.ofMillis(1));
        CacheKey young = CacheKey.of("c", "young");
        writes.store(value(young, now(), clock.millis(), LocalFixture.TTL, "v"), WriteCondition.IF_NEWER);
        for (int left = KEYS; left > 0; left--) {
            assertThat(shelf.budget.entries()).isEqualTo(left + 1);
            cleared.free(0);
        }
        cleared.free(0);
        assertThat(shelf.budget.entries()).isEqualTo(1);
        assertThat(map.get(shelf.hashOf(young), new StoredValue())).isTrue();
    }

    @Test
    void oneThatCannotBeReadKeepsNoneOfTheOthers() {
        fill("c", LocalFixture.TTL);
        long lost = low("c", 3);
        map.beforeEach(key -> {
            if (key.low == lost) {
                throw new InternalError("a page that its disk does not give");
            }
        });
        cleared.add("c", now());
        cleared.free(Long.MAX_VALUE);
        assertThat(shelf.budget.entries()).isEqualTo(1);
        assertThat(metrics.counter("l1.errors").getCount()).isEqualTo(1);
    }

    @Test
    void aMomentWithoutMemoryEndsNeitherTheTickNorTheSweeper() {
        fill("short", Duration.ofSeconds(1));
        fill("c", LocalFixture.TTL);
        cleared.add("c", now());
        clock.advance(Duration.ofSeconds(10));
        long first = low("short", 0);
        map.beforeEach(key -> {
            if (key.low == first) {
                throw new OutOfMemoryError("for a moment");
            }
        });
        sweeper.tick();
        // A tick may stop clearing when its time is over.
        cleared.free(Long.MAX_VALUE);
        assertThat(metrics.counter("l1.evictions.cleared").getCount()).isEqualTo(KEYS);
        map.beforeEach(key -> {});
        sweeper.tick();
        assertThat(shelf.budget.entries()).isZero();
    }
}
