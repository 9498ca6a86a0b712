package dev.terrace.core;

import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.Version;
import dev.terrace.testkit.HeapTier;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** A tier that outlives the nodes that use it, and reclaims nothing: only markers hide what was cleared. Thread-safe. */
final class LastingTier extends ForwardingTier implements ScannableTier {
    private final HeapTier heap;

    LastingTier(HeapTier heap) {
        super(heap);
        this.heap = heap;
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public String layout() {
        return heap.layout();
    }

    @Override
    public void scan(int part, int parts, Predicate<Entry> visitor) {
        heap.scan(part, parts, visitor);
    }

    @Override
    public void close() {}
}
