package dev.terrace.core;

import dev.terrace.api.InterruptedCallException;
import dev.terrace.api.UnavailableException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** How long calls may take before they are given up, which should have ended by themselves. */
final class Patience {
    private Patience() {}

    /** For a call of a tier that ends by itself within {@code timeout}. */
    static Duration outer(Duration timeout) {
        return timeout.multipliedBy(2);
    }

    /** For an operation over several zones: up to three rounds, each within a zone's own {@code timeout}. */
    static Duration rounds(Duration timeout) {
        return timeout.multipliedBy(3);
    }

    /**
     * Waits for a stage; fails as it does.
     *
     * @param what is done, and {@code on} what, for people
     * @throws UnavailableException when it takes longer than {@code longestNanos}
     * @throws InterruptedCallException when the thread is interrupted, whose flag is set again
     */
    static <T> T await(CompletionStage<T> stage, long longestNanos, String what, String on) {
        CompletableFuture<T> wanted = stage.toCompletableFuture();
        try (LoaderThreads.Loan loan = LoaderThreads.lendWhile(wanted)) {
            return wanted.get(longestNanos, TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw unchecked(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedCallException(what + " on " + on, e);
        } catch (TimeoutException e) {
            throw new UnavailableException(
                    what + " on " + on + " got no answer within " + TimeUnit.NANOSECONDS.toMillis(longestNanos)
                            + " ms; whether a write happened is unknown",
                    "this is longer than all deadlines together: see the log for the tier that broke its own");
        }
    }

    private static RuntimeException unchecked(ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : Gate.unwrapped(e.getCause());
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException ours ? ours : new IllegalStateException(cause);
    }
}
