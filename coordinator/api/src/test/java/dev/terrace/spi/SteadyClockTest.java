package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("F17")
class SteadyClockTest {
    private static final long HOUR = 3_600_000;

    private long wall = 1_000_000_000L;
    private long nanos;
    private final InstantSource source = () -> Instant.ofEpochMilli(wall);
    private final SteadyClock clock = new SteadyClock(source, () -> nanos);

    private void pass(long millis) {
        wall += millis;
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Test
    void followsAClockThatNobodySets() {
        for (long millis : new long[] {0, 1, 5, 999, 1_000, 1_001, 60_000, 30 * 24 * HOUR}) {
            pass(millis);
            assertThat(clock.millis()).isEqualTo(wall);
            assertThat(clock.instant().toEpochMilli()).isEqualTo(wall);
        }
    }

    @Test
    void goesOnWhenTheClockIsSetBackAndIsRightAgainWhenThatIsUndone() {
        pass(10);
        long before = clock.millis();
        wall -= HOUR;
        pass(250);
        assertThat(clock.millis()).isEqualTo(before + 250);
        pass(2 * HOUR);
        assertThat(clock.millis()).isEqualTo(before + 250 + 2 * HOUR);
        wall += HOUR;
        pass(3);
        assertThat(clock.millis()).isEqualTo(before + 253 + 2 * HOUR).isEqualTo(wall);
    }

    @Test
    void followsAClockThatIsSetAheadAndAMachineThatSlept() {
        wall += HOUR;
        assertThat(clock.millis()).isEqualTo(wall);
        wall -= HOUR;
        assertThat(clock.millis())
                .as("set right, it is an hour ahead until the next start")
                .isEqualTo(wall + HOUR);
    }

    @Test
    void smallStepsOfTimeServersAreFollowed() {
        wall -= 900;
        assertThat(clock.millis()).isEqualTo(wall);
    }

    @Test
    void neverGoesBackByMoreThanAStepWhateverIsSet() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        long before = clock.millis();
        for (int i = 0; i < 100_000; i++) {
            pass(random.nextLong(random.nextInt(10) == 0 ? 100_000 : 20));
            if (random.nextInt(5) == 0) {
                wall += random.nextLong(-2 * HOUR, 2 * HOUR);
            }
            long now = clock.millis();
            assertThat(now).as("seed %s step %s", seed, i).isGreaterThan(before - SteadyClock.STEP_MILLIS);
            before = now;
        }
    }
}
