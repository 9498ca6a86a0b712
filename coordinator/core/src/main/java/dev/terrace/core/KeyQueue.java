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
        CompletionStage<T> result = before == null ? operation.get() : before.thenCompose(ready -> operation.get());
        return result.whenComplete((value, failure) -> {
            tails.remove(key, mine);
            mine.complete(null);
        });
    }
}
