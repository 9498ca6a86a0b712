package dev.terrace.core;

import dev.terrace.api.ClosedException;
import java.util.concurrent.CompletableFuture;
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

    /** Runs an operation; whatever it throws fails the stage. */
    <T> CompletionStage<T> pass(Supplier<CompletionStage<T>> operation) {
        inside.incrementAndGet();
        CompletionStage<T> stage;
        try {
            check();
            stage = operation.get();
        } catch (RuntimeException e) {
            stage = CompletableFuture.failedStage(e);
        }
        return stage.whenComplete((value, failure) -> inside.decrementAndGet());
    }

    void close() {
        closed = true;
    }

    long inside() {
        return inside.get();
    }
}
