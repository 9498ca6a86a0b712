package dev.terrace.core;

import dev.terrace.api.ClosedException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Lets operations in while the coordinator is open, and knows how many are inside. Thread-safe. */
final class Gate {
    private final AtomicLong inside = new AtomicLong();
    private volatile boolean closed;

    boolean isClosed() {
        return closed;
    }

    void check() {
        if (closed) {
            throw new ClosedException("the cache coordinator");
        }
    }

    /**
     * Runs an operation; whatever it throws fails the stage. The stage is the caller's own: completing it disturbs
     * nobody, and it fails with the very exception that the blocking view throws.
     */
    <T> CompletionStage<T> pass(Supplier<CompletionStage<T>> operation) {
        inside.incrementAndGet();
        CompletionStage<T> stage;
        try {
            check();
            stage = operation.get();
        } catch (RuntimeException | Error e) {
            // A codec's StackOverflowError too must not leave the gate's count wrong.
            stage = CompletableFuture.failedStage(e);
        }
        CompletableFuture<T> wanted = stage.toCompletableFuture();
        if (wanted.isDone() && !wanted.isCompletedExceptionally()) {
            inside.decrementAndGet();
            return CompletableFuture.completedFuture(wanted.join());
        }
        CompletableFuture<T> answer = new CompletableFuture<>();
        wanted.whenComplete((value, failure) -> {
            inside.decrementAndGet();
            if (failure == null) {
                answer.complete(value);
            } else {
                answer.completeExceptionally(unwrapped(failure));
            }
        });
        return answer;
    }

    /** Runs an operation on the calling thread; closing waits for it. */
    <T> T passHere(Supplier<T> operation) {
        inside.incrementAndGet();
        try {
            check();
            return operation.get();
        } finally {
            inside.decrementAndGet();
        }
    }

    /** What a stage really failed with. */
    static Throwable unwrapped(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    void close() {
        closed = true;
    }

    long inside() {
        return inside.get();
    }
}
