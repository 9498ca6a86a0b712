package dev.terrace.core;

import dev.terrace.api.Source;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Copies upwards what a lower tier held, and stores what loaders bring; never over something newer. A fill of a fenced
 * flight is refused everywhere: the tombstone that would beat it may have been evicted. Thread-safe.
 */
final class Fills {
    private final Tiers tiers;
    private final @Nullable Remote remote;
    private final LocalCopies copies;
    private final Writes writes;
    private final HybridClock clock;
    private final long oldestMillis;

    /** Keys of which the origin lacks a write. */
    private Predicate<CacheKey> awaited = key -> false;

    /** Caches whose entries may end later than they did. */
    private Predicate<String> slides = cache -> false;

    /** What a flight brought. */
    record Fill(Flight flight, Entry entry) {}

    /**
     * @param remote L2, null without one
     * @param oldestMillis age from which a fill is refused: a tombstone may be gone by then, so its absence proves nothing
     */
    Fills(
            Tiers tiers,
            @Nullable Remote remote,
            LocalCopies copies,
            Writes writes,
            HybridClock clock,
            long oldestMillis) {
        this.tiers = tiers;
        this.remote = remote;
        this.copies = copies;
        this.writes = writes;
        this.clock = clock;
        this.oldestMillis = oldestMillis;
    }

    /** Keys of which the origin lacks a write: what is loaded of them is older than that. Must be called before the first fill. */
    void heedAwaited(Predicate<CacheKey> byKey) {
        awaited = byKey;
    }

    /** In these caches entries may end later than they did. Must be called before the first fill. */
    void heedSliding(Predicate<String> byCache) {
        slides = byCache;
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
        Entry forRemote = promoteLocally(cache, flight, found, clock.millis());
        if (forRemote != null) {
            promoteRemotely(List.of(forRemote));
        }
    }

    /** As {@link #promote} for many keys, one round trip to L2. */
    <K> void promoteAll(CacheState cache, List<Search<K>> searches) {
        List<Entry> forRemote = new ArrayList<>();
        long now = clock.millis();
        for (Search<K> search : searches) {
            Entry entry = search.flight == null ? null : promoteLocally(cache, search.flight, search.best, now);
            if (entry != null) {
                forRemote.add(entry);
            }
        }
        promoteRemotely(forRemote);
    }

    /** Copies into L1; what L2 should have too, or null. */
    private @Nullable Entry promoteLocally(CacheState cache, Flight flight, Found best, long now) {
        Entry entry = best.settles(now) ? best.entry() : null;
        if (entry == null || best.source() == Source.L1) {
            return null;
        }
        boolean kept = intoLocal(cache, flight, entry);
        if (kept && slides.test(cache.name)) {
            // What L1 has may be the same version, with the end that it had before somebody read it elsewhere.
            copies.prolong(entry);
        }
        return kept && best.source() == Source.L3 ? entry : null;
    }

    private void promoteRemotely(List<Entry> entries) {
        intoRemote(entries).thenAccept(outcomes -> {
            for (int i = 0; i < outcomes.size(); i++) {
                if (outcomes.get(i) instanceof StoreOutcome.Superseded) {
                    copies.forget(entries.get(i).key());
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

    /**
     * Stores what a loader said, under the versions of the moments when the misses began, or later ones where L2 draws them.
     *
     * @return what was stored, by flight; without what was not kept
     */
    CompletionStage<Map<Flight, Entry>> load(CacheState cache, List<Fill> brought) {
        Map<Flight, Entry> kept = new ConcurrentHashMap<>();
        List<CompletableFuture<Void>> under = new ArrayList<>();
        for (Fill fill : brought) {
            if (isAllowed(cache, fill.flight(), fill.entry())
                    && !awaited.test(fill.entry().key())) {
                CompletionStage<@Nullable Version> later =
                        fill.flight().lookup.join().remoteLater();
                if (later == null) {
                    under.add(intoRemote(fill)
                            .thenAccept(written -> keep(cache, fill.flight(), written, kept))
                            .toCompletableFuture());
                } else {
                    keepFirst(cache, fill, later, kept);
                }
            } else {
                cache.fillsRefused.inc();
            }
        }
        return CompletableFuture.allOf(under.toArray(CompletableFuture[]::new)).thenApply(done -> kept);
    }

    private CompletionStage<Written> intoRemote(Fill fill) {
        return intoRemote(fill, seen(fill.flight().lookup.join()));
    }

    private CompletionStage<Written> intoRemote(Fill fill, @Nullable Version seen) {
        return remote == null
                ? CompletableFuture.completedStage(Written.nowhere(fill.entry()))
                : remote.fill(fill.entry(), seen);
    }

    /** L2 is too slow to be waited for: callers are told before it has the value. */
    private void keepFirst(
            CacheState cache, Fill fill, CompletionStage<@Nullable Version> later, Map<Flight, Entry> kept) {
        if (!intoLocal(cache, fill.flight(), fill.entry())) {
            return;
        }
        kept.put(fill.flight(), fill.entry());
        later.thenCompose(held -> intoRemote(
                        fill, held != null ? held : seen(fill.flight().lookup.join())))
                .thenAccept(written -> keep(cache, fill.flight(), written, new HashMap<>()));
    }

    /** What L2 held before the load. Where it did not say, it must hold nothing, or what L1 has. */
    static @Nullable Version seen(Found found) {
        if (found.seenByRemote() != null || found.source() != Source.L1 || found.entry() == null) {
            return found.seenByRemote();
        }
        return found.entry().version();
    }

    private void keep(CacheState cache, Flight flight, Written written, Map<Flight, Entry> kept) {
        Entry entry = written.entry();
        if (written.outcome() instanceof StoreOutcome.Superseded) {
            cache.fillsRefused.inc();
            copies.forget(entry.key());
        } else if (intoLocal(cache, flight, entry)) {
            writes.storeInBackup(entry);
            kept.put(flight, entry);
        }
    }
}
