package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The rule by which a warm-up leaves callers their share. */
class WarmupPaceTest {
    private static final long LIMIT = TimeUnit.MILLISECONDS.toNanos(5);
    private static final Foreground.Since IDLE = new Foreground.Since(0, 0, 3);

    private final AtomicLong now = new AtomicLong(1);

    private WarmupPace pace(int perSecond, long limit) {
        return new WarmupPace(perSecond, limit, now::get);
    }

    private static Foreground.Since calls(long count, long meanNanos) {
        return new Foreground.Since(count, count * meanNanos, 3);
    }

    @Test
    void itHalvesWhileCallsTakeLongAndGrowsBackAfterwards() {
        WarmupPace pace = pace(8_000, LIMIT);
        pace.heed(calls(10, LIMIT + 1));
        assertThat(pace.entriesPerSecond()).isEqualTo(4_000);
        pace.heed(calls(10, LIMIT * 3));
        assertThat(pace.entriesPerSecond()).isEqualTo(2_000);
        pace.heed(calls(10, LIMIT));
        assertThat(pace.entriesPerSecond()).isEqualTo(2_500);
        for (int i = 0; i < 10; i++) {
            pace.heed(IDLE);
        }
        assertThat(pace.entriesPerSecond()).isEqualTo(8_000);
    }

    @Test
    void manyOperationsUnderWaySlowItDownToo() {
        WarmupPace pace = pace(8_000, LIMIT);
        pace.heed(new Foreground.Since(0, 0, WarmupPace.MANY_OPERATIONS + 1));
        assertThat(pace.entriesPerSecond()).isEqualTo(4_000);
    }

    @Test
    void itNeverStops() {
        WarmupPace pace = pace(8_000, LIMIT);
        WarmupPace slow = pace(50, LIMIT);
        for (int i = 0; i < 100; i++) {
            pace.heed(calls(1, LIMIT * 100));
            slow.heed(calls(1, LIMIT * 100));
        }
        assertThat(pace.entriesPerSecond()).isEqualTo(WarmupPace.LEAST_PER_SECOND);
        assertThat(slow.entriesPerSecond()).isEqualTo(50);
    }

    @Test
    void withoutALimitItYieldsToNobody() {
        WarmupPace pace = pace(8_000, 0);
        pace.heed(calls(10, LIMIT * 100));
        assertThat(pace.entriesPerSecond()).isEqualTo(8_000);
    }

    @Test
    void entriesAreDueOneAfterTheOtherAndTimeThatPassedUnusedIsNotMadeUpFor() {
        WarmupPace pace = pace(1_000, LIMIT);
        assertThat(pace.await(500, () -> false)).as("the first may go at once").isTrue();
        assertThat(pace.await(1, () -> true)).as("due in half a second").isFalse();
        now.addAndGet(TimeUnit.SECONDS.toNanos(60));
        assertThat(pace.await(500, () -> false)).isTrue();
        assertThat(pace.await(1, () -> true)).isFalse();
    }
}
