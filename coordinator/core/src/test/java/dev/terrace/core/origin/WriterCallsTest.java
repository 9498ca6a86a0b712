package dev.terrace.core.origin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.testkit.Entries;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever a writer answers, or does not, every write gets an answer. */
class WriterCallsTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final WriterCalls calls = new WriterCalls("writer", 1, timer);

    @AfterEach
    void close() {
        calls.close();
        timer.shutdownNow();
    }

    private static OriginCall call(int number) {
        long now = 1_000_000;
        Entry entry = Entries.value(
                CacheKey.of("c", "k" + number), Entries.version(now, number), now, Duration.ofDays(1), "v");
        return new OriginCall(entry, 1);
    }

    private List<WriteAnswer> answers(CompletionStage<List<WriteAnswer>> told) {
        OriginTarget.Async target = new OriginTarget.Async() {
            @Override
            public boolean takesMany() {
                return true;
            }

            @Override
            public Object writer() {
                return this;
            }

            @Override
            public CompletionStage<List<WriteAnswer>> write(List<OriginCall> some) {
                return told;
            }
        };
        CompletableFuture<List<WriteAnswer>> answered =
                calls.start(target, List.of(call(1), call(2)), LONG).answered();
        assertThat(answered).as("at once, not when its time is over").isCompleted();
        return answered.join();
    }

    @Test
    void anAnswerForEachWriteIsTaken() {
        assertThat(answers(CompletableFuture.completedStage(List.of(WriteAnswer.TAKEN, WriteAnswer.TAKEN))))
                .containsExactly(WriteAnswer.TAKEN, WriteAnswer.TAKEN);
    }

    @Test
    void tooFewAnswersNoneAtAllAndAFailureAreFailuresOfAll() {
        assertThat(answers(CompletableFuture.completedStage(List.of(WriteAnswer.TAKEN))))
                .hasSize(2)
                .allMatch(answer -> answer.reason().contains("1 answers to 2 writes"));
        assertThat(answers(CompletableFuture.completedStage(nothing())))
                .hasSize(2)
                .allMatch(answer -> answer.kind() == WriteAnswer.Kind.FAILED);
        assertThat(answers(CompletableFuture.failedStage(new IllegalStateException("down"))))
                .hasSize(2)
                .allMatch(answer -> answer.reason().contains("down"));
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // what users' code may do
    private static <T> T nothing() {
        return null;
    }
}
