package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.Throttle;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ThrottleTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // The clock may overflow.

    @Test
    void givesEachATimeBehindThoseBefore() {
        Throttle throttle = new Throttle(1_000, nanos::get);
        assertThat(throttle.reserve(500)).isZero();
        assertThat(throttle.reserve(1_000)).isEqualTo(SECOND / 2);
        assertThat(throttle.reserve(1)).isEqualTo(SECOND * 3 / 2);
        nanos.addAndGet(SECOND);
        assertThat(throttle.reserve(1)).isEqualTo(SECOND / 2 + SECOND / 1_000);
    }

    @Test
    void savesNothingUpAndMayHaveNoLimit() {
        Throttle throttle = new Throttle(1_000, nanos::get);
        nanos.addAndGet(SECOND * 100);
        assertThat(throttle.reserve(1_000)).isZero();
        assertThat(throttle.reserve(1_000)).isEqualTo(SECOND);
        assertThat(new Throttle(0, nanos::get).reserve(Long.MAX_VALUE)).isZero();
    }

    @Test
    void deadlinesGrowWithWhatIsCarried() {
        Deadlines deadlines = new Deadlines(Duration.ofSeconds(30), 0);
        assertThat(deadlines.call(0)).isEqualTo(Duration.ofSeconds(30));
        assertThat(deadlines.call(8 << 20)).isEqualTo(Duration.ofSeconds(62));
        assertThat(deadlines.attempt(0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(new Deadlines(Duration.ofMillis(100), 0).attempt(0)).isEqualTo(Duration.ofMillis(100));
        assertThat(new Deadlines(Duration.ofSeconds(30), 1 << 20).turn(8 << 20)).isGreaterThan(deadlines.call(8 << 20));
    }
}
