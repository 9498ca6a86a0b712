package dev.terrace.failover;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.OriginSettings;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an overloaded origin still gets done behind its limits, by a model of one on virtual time. */
@Tag("F68")
class OriginSimulationTest {
    private static final long SEED = Long.getLong("terrace.seed", 20_26);
    private static final int MEAN_MILLIS = 20;
    private static final int PATIENCE_MILLIS = 1_000;
    private static final long SECOND = 1_000 * OriginModel.MILLI;

    private static OriginSettings settings(int maxConcurrent, boolean adaptive) {
        return new OriginSettings(
                maxConcurrent,
                adaptive,
                Duration.ofMillis(200),
                0,
                0,
                1,
                new CircuitBreakerSettings(
                        true, 20, Duration.ofMillis(PATIENCE_MILLIS - 1), Duration.ofSeconds(5), 80));
    }

    private static OriginModel model(int workers) {
        return new OriginModel(SEED, workers, MEAN_MILLIS, PATIENCE_MILLIS);
    }

    private static OriginLimits limits(OriginModel model, OriginSettings settings, OriginMutant mutant) {
        return new OriginLimits(
                "o",
                settings,
                () -> model.now,
                (nanos, task) -> model.at(model.now + nanos, task),
                new MetricRegistry(),
                mutant);
    }

    /** Share of its capacity that the origin answers in time, when so much more is asked of it. */
    private static double goodput(int workers, OriginSettings settings, double load, OriginMutant mutant) {
        OriginModel model = model(workers);
        OriginLimits limits = limits(model, settings, mutant);
        int seconds = Math.max(20, 600 / workers);
        model.offer(limits, model.capacity() * load, 0, seconds * SECOND, LoadPriority.FOREGROUND);
        model.runUntil(seconds * SECOND);
        return model.good / (model.capacity() * seconds);
    }

    @Test
    void offeredFourTimesItsCapacityAnOriginStillDoesNinetyFivePercent() {
        for (int workers : new int[] {2, 4, 16, 64}) {
            for (double load : new double[] {4, 10}) {
                assertThat(goodput(workers, settings(workers, false), load, OriginMutant.NONE))
                        .as("seed %d, %d workers, load %.0f, fixed limit", SEED, workers, load)
                        .isGreaterThan(0.95);
                assertThat(goodput(workers, settings(0, true), load, OriginMutant.NONE))
                        .as("seed %d, %d workers, load %.0f, adaptive limit", SEED, workers, load)
                        .isGreaterThan(0.95);
            }
        }
    }

    @Test
    void withinItsCapacityNothingIsLost() {
        for (int workers : new int[] {4, 16, 64}) {
            assertThat(goodput(workers, settings(0, true), 0.7, OriginMutant.NONE))
                    .as("seed %d, %d workers", SEED, workers)
                    .isGreaterThan(0.7 * 0.97);
        }
    }

    @Test
    void withoutLimitsItWouldDoNextToNothingAndWithEndlessWaitingTooLittle() {
        assertThat(goodput(16, settings(0, false), 4, OriginMutant.NONE))
                .as("seed %d, no limits", SEED)
                .isLessThan(0.5);
        assertThat(goodput(16, settings(16, false), 4, OriginMutant.WAITS_WITHOUT_END))
                .as("seed %d, endless waiting", SEED)
                .isLessThan(0.95);
    }

    private static int limitAfter(int seconds, OriginMutant mutant) {
        OriginModel model = model(16);
        OriginLimits limits = limits(model, settings(0, true), mutant);
        model.offer(limits, model.capacity() * 4, 0, seconds * SECOND, LoadPriority.FOREGROUND);
        int highest = 0;
        for (int second = 20; second <= seconds; second++) {
            model.runUntil(second * SECOND);
            highest = Math.max(highest, limits.status().limit());
        }
        return highest;
    }

    @Test
    void underLastingOverloadTheAdaptiveLimitStaysWithWhatTheOriginCanTake() {
        assertThat(limitAfter(90, OriginMutant.NONE)).as("seed %d", SEED).isBetween(16, 72);
    }

    /** The origin gets slower by itself: what was learned of it before must not throttle it for ever. */
    private static double goodputAfterSlowdown(OriginMutant mutant) {
        OriginModel model = model(16);
        OriginLimits limits = limits(model, settings(0, true), mutant);
        model.offer(limits, model.capacity() * 4, 0, 90 * SECOND, LoadPriority.FOREGROUND);
        model.runUntil(30 * SECOND);
        model.slowBy(5);
        model.runUntil(60 * SECOND);
        int before = model.good;
        model.runUntil(90 * SECOND);
        return (model.good - before) / (30 * model.capacity());
    }

    @Test
    void anOriginThatGotSlowerIsMeasuredAnew() {
        assertThat(goodputAfterSlowdown(OriginMutant.NONE)).as("seed %d", SEED).isGreaterThan(0.95);
        assertThat(goodputAfterSlowdown(OriginMutant.NEVER_PROBED))
                .as("seed %d, mutant", SEED)
                .isLessThan(0.95);
    }

    private static double foregroundRefused(OriginMutant mutant) {
        OriginModel model = model(8);
        OriginLimits limits = limits(model, settings(8, false), mutant);
        // What callers wait for could all be done; with the refreshes it is twice too much.
        model.offer(limits, model.capacity() * 0.6, 0, 60 * SECOND, LoadPriority.FOREGROUND);
        model.offer(limits, model.capacity() * 1.4, 0, 60 * SECOND, LoadPriority.BACKGROUND);
        model.runUntil(60 * SECOND);
        assertThat(model.refused[LoadPriority.BACKGROUND.ordinal()])
                .as("refreshes were refused")
                .isGreaterThan(1_000);
        return (double) model.refused[LoadPriority.FOREGROUND.ordinal()]
                / model.offered[LoadPriority.FOREGROUND.ordinal()];
    }

    @Test
    void refreshesAreRefusedBeforeCallersAre() {
        assertThat(foregroundRefused(OriginMutant.NONE)).as("seed %d", SEED).isLessThan(0.001);
        assertThat(foregroundRefused(OriginMutant.BACKGROUND_FIRST))
                .as("seed %d, mutant", SEED)
                .isGreaterThan(0.01);
    }
}
