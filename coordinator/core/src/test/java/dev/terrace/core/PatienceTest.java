package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.InterruptedCallException;
import dev.terrace.api.UnavailableException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A wait ends with what it waited for, or with a clear word. */
class PatienceTest {
    private static final long LONG = TimeUnit.MINUTES.toNanos(1);
    private static final long BRIEF = TimeUnit.MILLISECONDS.toNanos(20);

    private static String await(CompletableFuture<String> stage, long nanos) {
        return Patience.await(stage, nanos, "opening", "cache 'c'");
    }

    @Test
    void whatAStageSaysIsAnswered() {
        assertThat(await(CompletableFuture.completedFuture("v"), LONG)).isEqualTo("v");
    }

    @Test
    void whatIsNeverAnsweredIsNamedAndGivenUp() {
        assertThatThrownBy(() -> await(new CompletableFuture<>(), BRIEF))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("opening on cache 'c' got no answer within 20 ms");
    }

    @Test
    void aFailureIsThrownAsItIs() {
        RuntimeException ours = new IllegalArgumentException("ours");
        assertThatThrownBy(() -> await(CompletableFuture.failedFuture(ours), LONG))
                .isSameAs(ours);
        assertThatThrownBy(() -> await(CompletableFuture.failedFuture(new CompletionException(ours)), LONG))
                .isSameAs(ours);
        Error error = new AssertionError("worse");
        assertThatThrownBy(() -> await(CompletableFuture.failedFuture(error), LONG))
                .isSameAs(error);
        assertThatThrownBy(() -> await(CompletableFuture.failedFuture(new Exception("checked")), LONG))
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("checked");
    }

    @Test
    void anInterruptEndsItWithTheFlagSet() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> await(new CompletableFuture<>(), LONG)).isInstanceOf(InterruptedCallException.class);
        assertThat(Thread.interrupted()).isTrue();
    }
}
