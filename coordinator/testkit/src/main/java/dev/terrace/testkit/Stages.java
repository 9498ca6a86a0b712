package dev.terrace.testkit;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What stages of SPI methods say. */
final class Stages {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Stages() {}

    /** What {@code stage} says, which it must say normally and in time. */
    static <T> T await(CompletionStage<T> stage) {
        return await(stage, PATIENCE);
    }

    /** What {@code stage} says, which it must say normally and within {@code most}. */
    static <T> T await(CompletionStage<T> stage, Duration most) {
        try {
            return stage.toCompletableFuture().get(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError("the stage must complete normally and in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
