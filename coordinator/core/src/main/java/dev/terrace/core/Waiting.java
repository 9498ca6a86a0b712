package dev.terrace.core;

import dev.terrace.api.InterruptedCallException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits on a job's own thread for a tier, whose stages complete normally in time. */
final class Waiting {
    private Waiting() {}

    /**
     * What the stage says.
     *
     * @throws InterruptedCallException when the thread is interrupted, whose flag is set again
     * @throws IllegalStateException when the tier broke its contract
     */
    static <T> T on(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedCallException("a warm-up", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("a tier broke its contract: its stage must complete normally in time", e);
        }
    }
}
