package dev.terrace.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How tries become verdicts. */
class HealthProbeTest {
    private static final Duration INTERVAL = Duration.ofMillis(500);
    private static final Duration DEADLINE = Duration.ofMillis(250);

    private final MetricRegistry metrics = new MetricRegistry();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final AtomicLong now = new AtomicLong(1_000_000);
    private boolean refuted;
    private final HealthProbe probe = probe(INTERVAL);

    private HealthProbe probe(Duration interval) {
        return probe(interval, CompletableFuture::new);
    }

    private HealthProbe probe(Duration interval, Supplier<CompletionStage<String>> question) {
        return new HealthProbe(
                "test", question, new HealthProbe.Timing(interval, DEADLINE), () -> refuted, timer, now::get, metrics);
    }

    @AfterEach
    void close() {
        timer.shutdownNow();
    }

    private long judge(String trouble) {
        now.addAndGet(10);
        return probe.judge(trouble, 10);
    }

    @Test
    void one_failure_says_nothing_and_two_say_down_and_the_second_try_follows_soon() {
        assertThat(judge("")).isEqualTo(500);
        assertThat(probe.signal().state()).isEqualTo(Signal.State.UP);
        assertThat(judge("gone")).as("try again soon").isEqualTo(100);
        assertThat(probe.signal().state()).isEqualTo(Signal.State.UP);
        judge("gone");
        assertThat(probe.signal()).isEqualTo(Signal.down("gone", now.get()));
        assertThat(probe.execute().isHealthy()).isFalse();
        assertThat(judge("")).isEqualTo(100);
        assertThat(probe.signal().state()).isEqualTo(Signal.State.DOWN);
        judge("");
        assertThat(probe.signal().state()).isEqualTo(Signal.State.UP);
        assertThat(probe.execute().isHealthy()).isTrue();
    }

    @Test
    void a_dead_part_is_asked_less_often_and_a_living_one_as_often_as_before() {
        judge("");
        judge("gone");
        long pause = 0;
        for (int i = 0; i < 20; i++) {
            pause = judge("gone");
        }
        assertThat(pause).isEqualTo(2_000);
        judge("");
        assertThat(judge("")).isEqualTo(500);
        assertThat(metrics.counter("health.test.failed").getCount()).isEqualTo(21);
    }

    @Test
    @Tag("F77")
    void a_pause_of_this_process_is_not_blamed_on_the_part() {
        judge("");
        for (int i = 0; i < 5; i++) {
            probe.judge("no answer within 250 ms", 30_000);
        }
        assertThat(probe.signal().state()).isEqualTo(Signal.State.UP);
    }

    @Test
    @Tag("F67")
    void a_failed_try_is_not_believed_while_calls_go_well() {
        judge("");
        refuted = true;
        for (int i = 0; i < 5; i++) {
            judge("only the probe fails");
        }
        assertThat(probe.signal().state()).isEqualTo(Signal.State.UP);
        refuted = false;
        judge("gone");
        judge("gone");
        assertThat(probe.signal().state()).isEqualTo(Signal.State.DOWN);
    }

    @Test
    void what_was_never_reached_is_given_time_first() {
        for (int i = 0; i < 10; i++) {
            judge("not connected yet");
        }
        assertThat(probe.signal().state()).isEqualTo(Signal.State.UNKNOWN);
        now.addAndGet(HealthProbe.FIRST_MILLIS);
        judge("still not");
        judge("still not");
        assertThat(probe.signal().state()).isEqualTo(Signal.State.DOWN);
    }

    @Test
    void a_question_that_never_ends_counts_as_failed() {
        probe(Duration.ofMillis(10)).start();
        await().untilAsserted(() ->
                assertThat(metrics.counter("health.test.failed").getCount()).isPositive());
    }

    @Test
    @Tag("F76")
    void neitherAnErrorNorABugEndsTheTries() {
        AtomicInteger asked = new AtomicInteger();
        HealthProbe unlucky = probe(Duration.ofMillis(10), () -> {
            switch (asked.incrementAndGet()) {
                case 1 -> throw new OutOfMemoryError("unable to create native thread");
                case 2 -> throw new IllegalStateException("bug");
                default -> {
                    return CompletableFuture.completedFuture("");
                }
            }
        });
        unlucky.start();
        await().untilAsserted(() -> assertThat(unlucky.signal().state()).isEqualTo(Signal.State.UP));
        assertThat(metrics.counter("health.test.failed").getCount()).isEqualTo(2);
    }
}
