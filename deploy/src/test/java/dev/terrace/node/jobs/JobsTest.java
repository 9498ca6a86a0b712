package dev.terrace.node.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Jobs of a kind wait for one another, and end whatever happens. */
class JobsTest {
    private static final Duration LOOK = Duration.ofMillis(1);

    private final Jobs jobs = new Jobs();
    private final CountDownLatch gate = new CountDownLatch(1);

    @AfterEach
    void close() {
        gate.countDown();
        jobs.close();
    }

    private Jobs.Job stuck(String kind) {
        return jobs.start(kind, progress -> {
            gate.await();
            return Map.of();
        });
    }

    private String state(Jobs.Job job) {
        return Objects.requireNonNull(jobs.find(job.id())).state();
    }

    private void awaitState(Jobs.Job job, String state) {
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(LOOK)
                .untilAsserted(() -> assertThat(state(job)).isEqualTo(state));
    }

    @Test
    void oneKindDoesNotWaitForAnother() {
        Jobs.Job warmup = stuck("warmup");
        Jobs.Job second = stuck("warmup");
        Jobs.Job backup = jobs.start("backup", progress -> Map.of("point", "1:1"));
        awaitState(backup, "done");
        awaitState(warmup, "running");
        assertThat(state(second)).isEqualTo("waiting");
        gate.countDown();
        awaitState(second, "done");
    }

    @Test
    void oneThatIsUnderWayIsNotForgottenHoweverManyEndMeanwhile() {
        Jobs.Job warmup = stuck("warmup");
        Jobs.Job first = jobs.start("backup", progress -> Map.of());
        awaitState(first, "done");
        for (int i = 0; i < 100; i++) {
            awaitState(jobs.start("backup", progress -> Map.of()), "done");
        }
        assertThat(jobs.find(first.id())).isNull();
        awaitState(warmup, "running");
    }

    @Test
    void anErrorEndsAJobAsAFailure() {
        Jobs.Job job = jobs.start("warmup", progress -> {
            throw new OutOfMemoryError("as the test says");
        });
        awaitState(job, "failed");
        assertThat(Objects.requireNonNull(jobs.find(job.id())).error()).contains("as the test says");
        awaitState(jobs.start("warmup", progress -> Map.of()), "done");
    }

    @Test
    void nothingBeginsAfterTheEnd() {
        jobs.close();
        assertThatThrownBy(() -> stuck("backup")).isInstanceOf(RejectedExecutionException.class);
    }
}
