package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Runs asynchronous operations of one key one after the other, without holding a thread. Thread-safe. */
final class KeyQueue {
    private final ConcurrentHashMap<CacheKey, CompletableFuture<Void>> tails = new ConcurrentHashMap<>();

    /** Runs {@code operation} when those queued before it have ended, however they ended. */
    <T> CompletionStage<T> run(CacheKey key, Supplier<CompletionStage<T>> operation) {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> before = tails.put(key, mine);
        // Composed in both cases: an operation that throws must fail its stage and let the next one run.
        CompletableFuture<Void> turn = before == null ? CompletableFuture.completedFuture(null) : before;
        return turn.thenCompose(ready -> operation.get()).whenComplete((value, failure) -> {
            tails.remove(key, mine);
            mine.complete(null);
        });
    }
}
