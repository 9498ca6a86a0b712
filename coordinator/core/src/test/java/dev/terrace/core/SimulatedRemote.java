package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.HeapTier;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** One node's way to L2: both directions take time, and either may be lost. */
final class SimulatedRemote implements Tier {
    private final VirtualTime time;
    private final HeapTier remote;
    private final VirtualTime.Owner node;
    /** Until when nothing passes. */
    long cutUntil;

    SimulatedRemote(VirtualTime time, HeapTier remote, VirtualTime.Owner node) {
        this.time = time;
        this.remote = remote;
        this.node = node;
    }

    private <T> CompletionStage<T> call(Supplier<CompletionStage<T>> work, T unavailable) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        boolean requestLost = cutUntil > time.now();
        long timeout = time.now() + 100 * VirtualTime.MILLI;
        if (!requestLost) {
            time.later(null, () -> {
                T result = work.get().toCompletableFuture().join();
                if (cutUntil <= time.now()) {
                    time.later(node, () -> answer.complete(result));
                }
            });
        }
        time.at(timeout, node, () -> answer.complete(unavailable));
        return answer;
    }

    private Lookup noLookup() {
        return new Lookup.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "cut");
    }

    private StoreOutcome noStore() {
        return new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "cut");
    }

    @Override
    public TierLevel level() {
        return TierLevel.L2;
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return call(() -> remote.get(key), noLookup());
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, Lookup> none = new HashMap<>();
        keys.forEach(key -> none.put(key, noLookup()));
        return call(() -> remote.getAll(keys), none);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return call(() -> remote.put(entry, condition), noStore());
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return call(() -> remote.putAll(entries), Collections.nCopies(entries.size(), noStore()));
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public TierStatus status() {
        return remote.status();
    }

    @Override
    public void close() {}
}
