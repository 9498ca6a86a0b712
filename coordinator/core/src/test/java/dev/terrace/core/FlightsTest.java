package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Who shares whose search. */
class FlightsTest {
    private static final CacheKey KEY = CacheKey.of("quotes", "k");
    private static final long BOUND = Duration.ofMillis(100).toNanos();

    private final ManualClock wall = ManualClock.startingNow();
    private final AtomicLong nanos = new AtomicLong(5);
    private final Flights flights = new Flights(new HybridClock(wall, 1, Duration.ofMinutes(1)), nanos::get);
    private final CacheState cache = new CacheState(
            "quotes",
            new Trust(new Coherence(1, 0, 0, BOUND, nanos::get, wall, Mutant.NONE), Promises.EVENTUAL, "quotes", true),
            new MetricRegistry());
    private final Flight first = join(Flights.ANY_AGE);

    private Flight join(long shareNanos) {
        return flights.join(cache, KEY, false, shareNanos, launched -> {});
    }

    @Test
    void whoIsTrustedSharesWhateverIsUnderWay() {
        nanos.addAndGet(10 * BOUND);
        wall.advance(Duration.ofHours(1));
        assertThat(join(Flights.ANY_AGE)).isSameAs(first);
    }

    @Test
    void whoIsNotTrustedSharesWhatIsYoungerThanTheBound() {
        nanos.addAndGet(BOUND - 1);
        assertThat(join(BOUND)).isSameAs(first);
        nanos.incrementAndGet();
        assertThat(join(BOUND)).isNotSameAs(first);
    }

    @Test
    void aSearchFromBeforeTheMachineSleptIsNotShared() {
        nanos.addAndGet(BOUND / 2);
        wall.advance(Duration.ofMillis(100));
        assertThat(join(BOUND)).isNotSameAs(first);
    }

    @Test
    void whoIsNotTrustedOfAStrictCacheSharesNothing() {
        assertThat(join(0)).isNotSameAs(first);
    }
}
