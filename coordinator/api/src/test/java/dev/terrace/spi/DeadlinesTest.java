package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DeadlinesTest {
    @Test
    @Tag("F76")
    void whatIsThrownForOneFutureEndsThatOneAndTheOthersStillEnd() throws Exception {
        try (Deadlines deadlines = new Deadlines("deadlines-test", 20)) {
            CompletableFuture<String> broken = deadlines.watch(new CompletableFuture<>(), () -> {
                throw new StackOverflowError("no room");
            });
            CompletableFuture<String> sound = deadlines.watch(new CompletableFuture<>(), () -> "late");
            assertThatThrownBy(() -> broken.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(StackOverflowError.class);
            assertThat(sound.get(10, TimeUnit.SECONDS)).isEqualTo("late");
            assertThat(deadlines.watch(new CompletableFuture<>(), () -> "again").get(10, TimeUnit.SECONDS))
                    .isEqualTo("again");
        }
    }
}
