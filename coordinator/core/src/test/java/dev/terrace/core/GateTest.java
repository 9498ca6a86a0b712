package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.ClosedException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class GateTest {
    private final Gate gate = new Gate();

    @Test
    void whatIsGivenOutIsTheCallersOwn() {
        CompletableFuture<String> done = CompletableFuture.completedFuture("answer");
        CompletableFuture<String> given = gate.pass(() -> done).toCompletableFuture();
        assertThat(given).isCompletedWithValue("answer");
        given.obtrudeValue("changed");
        assertThat(done).isCompletedWithValue("answer");
        assertThat(gate.inside()).isZero();
    }

    @Test
    void whoIsInsideCountsUntilItIsDone() {
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletionStage<String> given = gate.pass(() -> slow);
        assertThat(gate.inside()).isOne();
        given.toCompletableFuture().complete("the caller's");
        assertThat(gate.inside()).isOne();
        slow.complete("answer");
        assertThat(gate.inside()).isZero();
    }

    @Test
    void failuresArriveAsThemselves() {
        IllegalStateException failure = new IllegalStateException("refused");
        CompletionStage<String> wrapped = CompletableFuture.failedStage(new CompletionException(failure));
        assertThatThrownBy(() -> gate.pass(() -> wrapped).toCompletableFuture().join())
                .hasCause(failure);
        gate.close();
        assertThatThrownBy(() -> gate.pass(() -> wrapped).toCompletableFuture().join())
                .hasCauseInstanceOf(ClosedException.class);
        assertThat(gate.inside()).isZero();
    }
}
