package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.HeapTier;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** L3 while it is being restored: some keys it cannot tell before it is whole. Thread-safe. */
final class ComingTier extends ForwardingTier implements ScannableTier {
    private final HeapTier heap;
    private final Predicate<CacheKey> late;
    private final Unavailability why;
    private final Set<CacheKey> refused = ConcurrentHashMap.newKeySet();
    private volatile boolean whole;

    /**
     * Is not whole yet.
     *
     * @param heap what it holds
     * @param late what it cannot tell yet
     * @param why what it answers then
     */
    ComingTier(HeapTier heap, Predicate<CacheKey> late, Unavailability why) {
        super(heap);
        this.heap = heap;
        this.late = late;
        this.why = why;
    }

    void becomesWhole() {
        whole = true;
    }

    /** Whether somebody asked for the key before it could be told. */
    boolean hasRefused(CacheKey key) {
        return refused.contains(key);
    }

    private Lookup told(CacheKey key, Lookup found) {
        if (whole || !late.test(key)) {
            return found;
        }
        refused.add(key);
        return new Lookup.Unavailable(TierLevel.L3, why, "not restored yet");
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return super.get(key).thenApply(found -> told(key, found));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return super.getAll(keys).thenApply(found -> {
            Map<CacheKey, Lookup> told = new HashMap<>();
            found.forEach((key, one) -> told.put(key, told(key, one)));
            return told;
        });
    }

    @Override
    public Readiness readiness() {
        return whole ? Readiness.WHOLE : Readiness.BY_KEY;
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
