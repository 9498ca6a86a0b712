package dev.terrace.core;

import dev.terrace.api.Source;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Copies upwards what a lower tier held, and stores what loaders bring; never over something newer. A fill of a fenced
 * flight is refused everywhere: the tombstone that would beat it may have been evicted. Thread-safe.
 */
final class Fills {
    private final Tiers tiers;
    private final LocalCopies copies;
    private final Writes writes;
    private final HybridClock clock;
    private final long oldestMillis;

    /** What a flight brought. */
    record Fill(Flight flight, Entry entry) {}

    /**
     * @param oldestMillis age from which a fill is refused: a tombstone may be gone by then, so its absence proves nothing
     */
    Fills(Tiers tiers, LocalCopies copies, Writes writes, HybridClock clock, long oldestMillis) {
        this.tiers = tiers;
        this.copies = copies;
        this.writes = writes;
        this.clock = clock;
        this.oldestMillis = oldestMillis;
    }

    private boolean isAllowed(CacheState cache, Flight flight, Entry entry) {
        boolean tooLate = clock.millis() - flight.began.epochMillis() >= oldestMillis;
        return !flight.isFenced() && !tooLate && !cache.hides(entry);
    }

    private boolean intoLocal(CacheState cache, Flight flight, Entry entry) {
        boolean allowed = copies.fill(entry, () -> isAllowed(cache, flight, entry));
        if (!allowed) {
            cache.fillsRefused.inc();
        }
        return allowed;
    }

    /** Copies what L2 or L3 held to the tiers above it. */
    void promote(CacheState cache, Flight flight, Found found) {
        promoteAll(cache, Map.of(flight.key, flight), Map.of(flight.key, found));
    }

    /** As {@link #promote} for many keys, one round trip to L2. */
    void promoteAll(CacheState cache, Map<CacheKey, Flight> flights, Map<CacheKey, Found> found) {
        List<Entry> forRemote = new ArrayList<>();
        long now = clock.millis();
        flights.forEach((key, flight) -> {
            Found best = found.get(key);
            Entry entry = best == null || !best.settles(now) ? null : best.entry();
            if (best != null && entry != null && best.source() != Source.L1) {
                boolean allowed = intoLocal(cache, flight, entry);
                if (allowed && best.source() == Source.L3) {
                    forRemote.add(entry);
                }
            }
        });
        intoRemote(forRemote).thenAccept(outcomes -> {
            for (int i = 0; i < outcomes.size(); i++) {
                if (outcomes.get(i) instanceof StoreOutcome.Superseded) {
                    copies.forget(forRemote.get(i).key());
                }
            }
        });
    }

    private CompletionStage<List<StoreOutcome>> intoRemote(List<Entry> entries) {
        Tier remote = tiers.remote();
        if (remote == null || entries.isEmpty()) {
            return CompletableFuture.completedStage(List.of());
        }
        return entries.size() == 1
                ? remote.put(entries.get(0), WriteCondition.IF_NEWER).thenApply(List::of)
                : remote.putAll(entries);
    }

    /** Stores what a loader said, under the versions of the moments when the misses began. */
    CompletionStage<Void> load(CacheState cache, List<Fill> brought) {
        List<Fill> fills = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        for (Fill fill : brought) {
            if (isAllowed(cache, fill.flight(), fill.entry())) {
                fills.add(fill);
                entries.add(fill.entry());
            } else {
                cache.fillsRefused.inc();
            }
        }
        return intoRemote(entries).thenAccept(outcomes -> {
            for (int i = 0; i < fills.size(); i++) {
                Fill fill = fills.get(i);
                if (!outcomes.isEmpty() && outcomes.get(i) instanceof StoreOutcome.Superseded) {
                    cache.fillsRefused.inc();
                    copies.forget(fill.entry().key());
                } else if (intoLocal(cache, fill.flight(), fill.entry())) {
                    writes.storeInBackup(fill.entry());
                }
            }
        });
    }
}
