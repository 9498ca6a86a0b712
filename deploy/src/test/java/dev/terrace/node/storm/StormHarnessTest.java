package dev.terrace.node.storm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.UnavailableException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A storm sees what a node throws by mistake, and excuses what callers expect in trouble. */
class StormHarnessTest {
    private static final long PATIENCE_MILLIS = 30_000;

    @TempDir
    Path folder;

    /** Fails in many ways. */
    static final class BrokenNode {
        private static final CountDownLatch GIVEN_UP = new CountDownLatch(1);

        private BrokenNode() {}

        private static void awaitGivenUp() {
            try {
                if (!GIVEN_UP.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw new IllegalStateException("still waited for");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        public static void main(String[] arguments) throws Exception {
            Requests.serve(() -> new Requests.Store(BrokenNode::carryOut, () -> {}));
        }

        private static String carryOut(String[] words) {
            switch (words[1]) {
                case "unavailable" -> throw new UnavailableException("L2 is away", "");
                case "unknown" -> throw new Requests.NotExecuted("not done");
                case "mistake" -> throw new IllegalStateException("a stage failed");
                case "error" -> throw new AssertionError("a promise was broken");
                case "late" -> {
                    // Nobody waits for it any more when the next request comes.
                    awaitGivenUp();
                    throw new ArrayIndexOutOfBoundsException("late");
                }
                case "given-up" -> {
                    GIVEN_UP.countDown();
                    return Requests.line(true, null, null, true, "L2");
                }
                default -> {
                    return Requests.line(true, null, null, true, "L2");
                }
            }
        }
    }

    @Test
    void whatANodeThrowsByMistakeIsToldEvenWhenNobodyWaitsForItAnyMore() throws Exception {
        try (NodeProcess node = new NodeProcess("broken", BrokenNode.class, folder.resolve("none.yaml"), folder)) {
            node.start();
            node.awaitReady();
            assertThat(node.ask(PATIENCE_MILLIS, "get")[1]).isEqualTo("ok");
            assertThat(node.ask(PATIENCE_MILLIS, "unavailable")[2]).isEqualTo("UnavailableException");
            assertThat(node.ask(PATIENCE_MILLIS, "unknown")[2]).isEqualTo("NotExecuted");
            assertThat(node.bugs()).isEmpty();
            assertThat(node.ask(PATIENCE_MILLIS, "mistake")[2]).isEqualTo(Requests.BUG);
            assertThat(node.ask(PATIENCE_MILLIS, "error")[2]).isEqualTo(Requests.BUG);
            assertThat(node.bugs()).hasSize(2).allMatch(bug -> bug.startsWith("broken: "));
            assertThatThrownBy(() -> node.ask(1, "late")).isInstanceOf(IOException.class);
            assertThat(node.bugs()).hasSize(2);
            assertThat(node.ask(PATIENCE_MILLIS, "given-up")[1]).isEqualTo("ok");
            await().atMost(Duration.ofMillis(PATIENCE_MILLIS))
                    .untilAsserted(() -> assertThat(node.bugs()).hasSize(3).anyMatch(bug -> bug.contains("late")));
        }
    }
}
