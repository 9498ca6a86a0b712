package dev.terrace.failover;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.config.OriginSettings;
import dev.terrace.failover.Admission.Limit;
import dev.terrace.failover.Admission.Pass;
import dev.terrace.failover.Admission.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class OriginLimitsTest {
    private static final long SEED = Long.getLong("terrace.seed", 4_711);
    private static final long MILLI = 1_000_000;
    private static final Duration SLOW = Duration.ofSeconds(1);

    private final MetricRegistry metrics = new MetricRegistry();
    private final List<Alarm> alarms = new ArrayList<>();
    private long now = 12_345;

    private record Alarm(long at, Runnable task) {}

    private void pass(long nanos) {
        now += nanos;
        List<Alarm> due = alarms.stream().filter(alarm -> alarm.at() <= now).toList();
        alarms.removeAll(due);
        due.forEach(alarm -> alarm.task().run());
    }

    private OriginLimits limits(int maxConcurrent, int perSecond, int burst, OriginMutant mutant) {
        CircuitBreakerSettings breaker = new CircuitBreakerSettings(true, 10, SLOW, Duration.ofSeconds(5), 80);
        return new OriginLimits(
                "api",
                new OriginSettings(maxConcurrent, false, Duration.ofMillis(100), perSecond, 0, burst, breaker),
                () -> now,
                (nanos, task) -> alarms.add(new Alarm(now + nanos, task)),
                metrics,
                mutant);
    }

    private static CompletableFuture<Admission> ask(OriginLimits limits, LoadPriority priority) {
        return limits.admit(priority, () -> true).toCompletableFuture();
    }

    private static Admission now(OriginLimits limits, LoadPriority priority) {
        CompletableFuture<Admission> asked = ask(limits, priority);
        assertThat(asked).isCompleted();
        return asked.join();
    }

    private static Pass passed(OriginLimits limits) {
        Admission admission = now(limits, LoadPriority.FOREGROUND);
        assertThat(admission).isInstanceOf(Pass.class);
        return (Pass) admission;
    }

    private static Refusal refused(OriginLimits limits, LoadPriority priority) {
        Admission admission = now(limits, priority);
        assertThat(admission).isInstanceOf(Refusal.class);
        return (Refusal) admission;
    }

    private long count(Limit limit) {
        return metrics.counter("origin.api.refused." + limit.name().toLowerCase(java.util.Locale.ROOT))
                .getCount();
    }

    @Test
    void whoComesWhenAllPlacesAreTakenWaitsInTurnAndNoLongerThanAllowed() {
        OriginLimits limits = limits(1, 0, 1, OriginMutant.NONE);
        Pass first = passed(limits);
        CompletableFuture<Admission> second = ask(limits, LoadPriority.FOREGROUND);
        CompletableFuture<Admission> third = ask(limits, LoadPriority.FOREGROUND);
        assertThat(second).isNotCompleted();
        // A call lasts 50 ms for all that is known: the fourth would wait for 150.
        Refusal fourth = refused(limits, LoadPriority.FOREGROUND);
        assertThat(fourth.limit()).isEqualTo(Limit.CONCURRENCY);
        assertThat(fourth.why()).contains("'api'").contains("1 calls under way");
        assertThat(fourth.retryAfter()).isPositive();
        now += 60 * MILLI;
        first.succeeded();
        first.succeeded();
        assertThat(second).isCompletedWithValueMatching(Pass.class::isInstance);
        assertThat(third).isNotCompleted();
        now += 60 * MILLI;
        ((Pass) second.join()).failed(1);
        assertThat(third).as("waited for 120 ms").isCompletedWithValueMatching(Refusal.class::isInstance);
        assertThat(limits.status()).isEqualTo(new OriginLimits.Status(0, 1, 0, "closed"));
        assertThat(count(Limit.CONCURRENCY)).isEqualTo(2);
    }

    @Test
    @Tag("F68")
    void whoHasWaitedAsLongAsAllowedIsToldThenAlthoughNoPlaceIsFree() {
        OriginLimits limits = limits(1, 0, 1, OriginMutant.NONE);
        Pass hanging = passed(limits);
        CompletableFuture<Admission> second = ask(limits, LoadPriority.FOREGROUND);
        pass(40 * MILLI);
        CompletableFuture<Admission> third = ask(limits, LoadPriority.FOREGROUND);
        pass(59 * MILLI);
        assertThat(second).isNotCompleted();
        pass(MILLI);
        assertThat(second).as("waited for 100 ms").isCompletedWithValueMatching(Refusal.class::isInstance);
        assertThat(third).as("waited for 60 ms").isNotCompleted();
        pass(39 * MILLI);
        assertThat(third).isNotCompleted();
        pass(MILLI);
        assertThat(third).isCompletedWithValueMatching(Refusal.class::isInstance);
        assertThat(limits.status()).isEqualTo(new OriginLimits.Status(1, 1, 0, "closed"));
        assertThat(alarms).as("nobody waits").isEmpty();
        hanging.succeeded();
        passed(limits);
    }

    @Test
    void whoIsNotWantedAnyMoreTakesNoPlace() {
        OriginLimits limits = limits(1, 0, 1, OriginMutant.NONE);
        Pass first = passed(limits);
        CompletableFuture<Admission> gone =
                limits.admit(LoadPriority.FOREGROUND, () -> false).toCompletableFuture();
        CompletableFuture<Admission> second = ask(limits, LoadPriority.FOREGROUND);
        first.unused();
        assertThat(gone).isCompletedWithValueMatching(Refusal.class::isInstance);
        assertThat(second).isCompletedWithValueMatching(Pass.class::isInstance);
    }

    @Test
    void theBackgroundLeavesAQuarterAndNeverWaits() {
        OriginLimits limits = limits(8, 0, 1, OriginMutant.NONE);
        for (int i = 0; i < 6; i++) {
            assertThat(now(limits, LoadPriority.BACKGROUND)).isInstanceOf(Pass.class);
        }
        assertThat(refused(limits, LoadPriority.BACKGROUND).limit()).isEqualTo(Limit.CONCURRENCY);
        passed(limits);
        passed(limits);
        assertThat(ask(limits, LoadPriority.FOREGROUND)).isNotCompleted();
    }

    private Limit afterFailures(int failures, boolean sameKey, OriginMutant mutant) {
        OriginLimits limits = limits(0, 0, 1, mutant);
        for (int i = 0; i < failures; i++) {
            Admission admission = now(limits, LoadPriority.FOREGROUND);
            if (admission instanceof Refusal refusal) {
                return refusal.limit();
            }
            ((Pass) admission).failed(sameKey ? 7 : i);
        }
        return now(limits, LoadPriority.FOREGROUND) instanceof Refusal refusal ? refusal.limit() : null;
    }

    @Test
    @Tag("F64")
    void oneBadKeyNeverStopsTheOthersManyDo() {
        assertThat(afterFailures(200, true, OriginMutant.NONE)).isNull();
        assertThat(afterFailures(200, true, OriginMutant.EVERY_FAILURE_COUNTS)).isEqualTo(Limit.BREAKER);
        assertThat(afterFailures(9, false, OriginMutant.NONE)).isNull();
        assertThat(afterFailures(10, false, OriginMutant.NONE)).isEqualTo(Limit.BREAKER);
    }

    @Test
    void aBrokenOriginIsLeftAloneThenProbedThenTrusted() {
        OriginLimits limits = limits(0, 0, 1, OriginMutant.NONE);
        for (int i = 0; i < 10; i++) {
            passed(limits).failed(i);
        }
        Refusal refusal = refused(limits, LoadPriority.FOREGROUND);
        assertThat(refusal.retryAfter()).isEqualTo(Duration.ofSeconds(5));
        now += 2_000 * MILLI;
        assertThat(refused(limits, LoadPriority.FOREGROUND).retryAfter()).isEqualTo(Duration.ofSeconds(3));
        now += 3_001 * MILLI;
        List<Pass> probes = List.of(passed(limits), passed(limits), passed(limits));
        assertThat(refused(limits, LoadPriority.FOREGROUND).limit()).isEqualTo(Limit.BREAKER);
        probes.forEach(Pass::succeeded);
        assertThat(limits.status().breaker()).isEqualTo("closed");
        passed(limits).succeeded();
        assertThat(count(Limit.BREAKER)).isEqualTo(3);
    }

    @Test
    @Tag("F64")
    void callsThatMayNeverEndCountWhenTheyAreGivenUpAndKeepTheirPlaces() {
        OriginLimits limits = limits(20, 0, 1, OriginMutant.NONE);
        List<Pass> hung = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            hung.add(passed(limits));
        }
        for (int i = 0; i < 10; i++) {
            hung.get(i).givenUp(i);
        }
        assertThat(refused(limits, LoadPriority.FOREGROUND).limit()).isEqualTo(Limit.BREAKER);
        assertThat(limits.status().underWay()).isEqualTo(10);
        now += 5_001 * MILLI;
        for (int i = 0; i < 3; i++) {
            passed(limits).givenUp(i);
        }
        assertThat(limits.status().breaker())
                .as("probes that hang are no reason to wait for ever")
                .isEqualTo("open");
        now += 5_001 * MILLI;
        List<Pass> probes = List.of(passed(limits), passed(limits), passed(limits));
        hung.forEach(pass -> pass.failed(99));
        probes.forEach(Pass::succeeded);
        assertThat(limits.status().breaker())
                .as("what was given up counts once")
                .isEqualTo("closed");
        assertThat(limits.status().underWay()).isEqualTo(3);
    }

    @Test
    void slownessBreaksToo() {
        OriginLimits limits = limits(0, 0, 1, OriginMutant.NONE);
        for (int i = 0; i < 10; i++) {
            Pass pass = passed(limits);
            now += SLOW.toNanos() + 1;
            pass.succeeded();
        }
        assertThat(refused(limits, LoadPriority.FOREGROUND).limit()).isEqualTo(Limit.BREAKER);
    }

    private int passedIn(OriginLimits limits, int asked) {
        int passed = 0;
        for (int i = 0; i < asked; i++) {
            if (now(limits, LoadPriority.FOREGROUND) instanceof Pass pass) {
                passed++;
                pass.succeeded();
            }
        }
        return passed;
    }

    @Test
    void aRateIsABurstAndThenTheRateAndWhatItRefusesKeepsNoPlace() {
        for (OriginMutant mutant : new OriginMutant[] {OriginMutant.NONE, OriginMutant.PLACE_KEPT}) {
            OriginLimits limits = limits(4, 100, 10, mutant);
            assertThat(passedIn(limits, 14)).isEqualTo(10);
            now += 100 * MILLI;
            boolean right = limits.status().underWay() == 0 && passedIn(limits, 11) == 10;
            assertThat(right).as("%s", mutant).isEqualTo(mutant == OriginMutant.NONE);
        }
    }

    @Test
    void aBucketNeverGivesMoreThanItsRateAndBurstInAnySpan() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 200; round++) {
            int perSecond = 1 + random.nextInt(5_000);
            int burst = 1 + random.nextInt(50);
            TokenBucket bucket = new TokenBucket(() -> now);
            List<Long> taken = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                now += random.nextInt(4) == 0
                        ? random.nextLong(2_000_000_000L / perSecond + 1)
                        : random.nextLong(50_000);
                if (bucket.take(perSecond, burst, random.nextInt(4) == 0 ? burst / 4 : 0)
                        .isZero()) {
                    taken.add(now);
                }
            }
            for (int from = 0; from < taken.size(); from++) {
                for (int to = from; to < taken.size(); to++) {
                    double span = (taken.get(to) - taken.get(from)) / 1e9;
                    assertThat(to - from + 1.0)
                            .as("seed %d, %d a second, burst %d, %f s", SEED, perSecond, burst, span)
                            .isLessThanOrEqualTo(burst + span * perSecond + 0.01);
                }
            }
        }
    }

    @Test
    void whoAsksAgainWhenToldToGetsAToken() {
        TokenBucket bucket = new TokenBucket(() -> now);
        for (int i = 0; i < 50; i++) {
            Duration wait = bucket.take(7, 3, 0);
            now += wait.toNanos();
            if (!wait.isZero()) {
                assertThat(bucket.take(7, 3, 0)).isZero();
            }
        }
    }

    @Test
    void aQueueOfAnyLengthIsServedOrRefusedWithoutNesting() {
        OriginLimits limits = limits(1, 0, 1, OriginMutant.WAITS_WITHOUT_END);
        Pass first = passed(limits);
        List<CompletableFuture<Admission>> waiting = new ArrayList<>();
        for (int i = 0; i < OriginLimits.MOST_WAITING; i++) {
            CompletableFuture<Admission> one = ask(limits, LoadPriority.FOREGROUND);
            int key = i;
            // Ends where it is told.
            one.thenAccept(told -> {
                if (told instanceof Pass pass) {
                    pass.failed(key);
                }
            });
            waiting.add(one);
        }
        assertThat(refused(limits, LoadPriority.FOREGROUND).limit()).isEqualTo(Limit.CONCURRENCY);
        first.succeeded();
        assertThat(waiting).allMatch(CompletableFuture::isDone);
        assertThat(waiting.stream().filter(one -> one.join() instanceof Pass)).hasSizeBetween(9, 20);
        assertThat(limits.status()).isEqualTo(new OriginLimits.Status(0, 1, 0, "open"));
    }

    @Test
    @Tag("F68")
    void aRefusalIsAnsweredAtOnceUnderTenfoldLoad() {
        OriginLimits limits = limits(2, 0, 1, OriginMutant.NONE);
        passed(limits);
        passed(limits);
        int waiting = 0;
        for (int i = 0; i < 1_000; i++) {
            waiting += ask(limits, LoadPriority.FOREGROUND).isDone() ? 0 : 1;
        }
        assertThat(waiting).as("those who can be served within 100 ms").isEqualTo(4);
    }
}
