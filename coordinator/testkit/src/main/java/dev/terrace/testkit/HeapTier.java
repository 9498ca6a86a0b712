package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Coordinating;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Peeking;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * A tier on the heap, unbounded, whose stages are complete when returned. For tests that must control time or order; put a
 * {@link FaultyTier} around it for everything that can go wrong. Thread-safe.
 */
public final class HeapTier implements ScannableTier, Coordinating, Prolonging, Peeking {
    private final TierLevel level;
    private final InstantSource clock;
    private final ConcurrentHashMap<CacheKey, Entry> entries = new ConcurrentHashMap<>();
    private final HeapFleet fleet;
    private volatile boolean closed;

    /** An empty tier that plays {@code level}. */
    public HeapTier(TierLevel level, InstantSource clock) {
        this.level = level;
        this.clock = clock;
        this.fleet = new HeapFleet(clock, key -> {
            Entry held = entries.get(key);
            return held == null ? null : held.version();
        });
    }

    @Override
    public HeapFleet leases() {
        return fleet;
    }

    @Override
    public HeapFleet rates() {
        return fleet;
    }

    @Override
    public TierLevel level() {
        return level;
    }

    private Lookup find(CacheKey key) {
        if (closed) {
            return new Lookup.Unavailable(level, Unavailability.CLOSED, "closed");
        }
        Entry held = entries.get(key);
        return held == null || held.isExpired(clock.millis()) ? Lookup.MISS : new Lookup.Hit(held);
    }

    private StoreOutcome store(Entry entry, WriteCondition condition) {
        if (closed) {
            return new StoreOutcome.Unavailable(level, Unavailability.CLOSED, "closed");
        }
        StoreOutcome[] outcome = {StoreOutcome.APPLIED};
        entries.compute(entry.key(), (key, before) -> {
            Entry held = before == null || before.isExpired(clock.millis()) ? null : before;
            if (Conditions.hold(condition, held, entry, clock.millis())) {
                return entry;
            }
            outcome[0] = new StoreOutcome.Superseded(held == null ? null : held.version());
            return held;
        });
        return outcome[0];
    }

    @Override
    public CompletionStage<Prolonged> prolong(Entry entry) {
        if (closed) {
            return CompletableFuture.completedStage(Prolonged.UNAVAILABLE);
        }
        Prolonged[] outcome = {Prolonged.NOT_HELD};
        entries.computeIfPresent(entry.key(), (key, held) -> {
            if (held.version().equals(entry.version()) && !held.isExpired(clock.millis())) {
                outcome[0] = Prolonged.DONE;
                return held.freshUntilMillis() < entry.freshUntilMillis() ? entry : held;
            }
            if (held.version().isNewerThan(entry.version())) {
                outcome[0] = Prolonged.REPLACED;
            }
            return held;
        });
        return CompletableFuture.completedStage(outcome[0]);
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return CompletableFuture.completedFuture(find(key));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, Lookup> found = new HashMap<>();
        keys.forEach(key -> found.put(key, find(key)));
        return CompletableFuture.completedFuture(found);
    }

    @Override
    public CompletionStage<Map<CacheKey, Version>> versions(Collection<CacheKey> keys) {
        Map<CacheKey, Version> held = new HashMap<>();
        keys.forEach(key -> {
            Lookup found = find(key);
            if (!(found instanceof Lookup.Unavailable)) {
                held.put(key, found instanceof Lookup.Hit hit ? hit.entry().version() : Version.ZERO);
            }
        });
        return CompletableFuture.completedFuture(held);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return CompletableFuture.completedFuture(store(entry, condition));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> all) {
        List<StoreOutcome> outcomes = new ArrayList<>();
        all.forEach(entry -> outcomes.add(store(entry, WriteCondition.IF_NEWER)));
        return CompletableFuture.completedFuture(outcomes);
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        entries.values()
                .removeIf(entry ->
                        entry.key().cache().equals(cache) && !entry.version().isNewerThan(upTo));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public String layout() {
        return "heap";
    }

    @Override
    public void scan(int part, int parts, Predicate<Entry> visitor) {
        for (Entry entry : entries.values()) {
            boolean within = Math.floorMod(entry.key().hashCode(), parts) == part;
            if (within && !entry.isExpired(clock.millis()) && !visitor.test(entry)) {
                return;
            }
        }
    }

    /** Loses everything, as a server does that restarts without a disk. */
    public void wipe() {
        entries.clear();
    }

    /** Loses one key, as eviction does. */
    public void evict(CacheKey key) {
        entries.remove(key);
    }

    @Override
    public TierStatus status() {
        return new TierStatus(
                level, closed ? TierStatus.State.CLOSED : TierStatus.State.READY, "heap", "", entries.size(), -1);
    }

    @Override
    public void close() {
        closed = true;
        fleet.setAway(true);
    }
}
