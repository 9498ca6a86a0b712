package dev.terrace.core;

import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Clears caches in constant time: a marker, kept like any entry in a reserved cache, hides every entry that is not newer.
 * Markers of other nodes are read from L2 once a second. Thread-safe.
 */
final class Markers {
    /** No user's cache may have a name that starts so. */
    static final String RESERVED_PREFIX = "terrace.";

    private static final String CACHE = RESERVED_PREFIX + "markers";

    private final Tiers tiers;
    private final Writes writes;
    private final Flights flights;
    private final HybridClock clock;

    Markers(Tiers tiers, Writes writes, Flights flights, HybridClock clock) {
        this.tiers = tiers;
        this.writes = writes;
        this.flights = flights;
        this.clock = clock;
    }

    /** Hides everything that {@code cache} holds now. */
    CompletionStage<WriteReceipt> clear(CacheState cache, boolean durable) {
        Version version = clock.next();
        Entry marker = new Entry(
                CacheKey.of(CACHE, cache.name),
                EntryKind.VALUE,
                version,
                clock.millis(),
                Entry.FOREVER,
                Entry.FOREVER,
                List.of(),
                new byte[0]);
        // At once, and before anything can fail: hiding too much for a moment is harmless, and whoever calls after this
        // draws newer versions.
        cache.raise(version);
        flights.fenceAll(cache.name);
        return writes.write(marker, durable).thenApply(receipt -> {
            tiers.present().forEach(tier -> tier.clear(cache.name, version));
            return receipt;
        });
    }

    /** Reads the markers of {@code caches} from L2, and from L3 those that L3 has not told yet. Never fails. */
    CompletionStage<Void> learn(Collection<CacheState> caches) {
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        if (tiers.remote() != null) {
            asked.add(learn(tiers.remote(), caches));
        }
        List<CacheState> untold = caches.stream()
                .filter(cache -> !cache.isMarkerFromBackupKnown())
                .toList();
        if (tiers.backup() != null && !untold.isEmpty()) {
            asked.add(learn(tiers.backup(), untold));
        }
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new));
    }

    private CompletableFuture<Void> learn(Tier tier, Collection<CacheState> caches) {
        List<CacheKey> keys = new ArrayList<>();
        caches.forEach(cache -> keys.add(CacheKey.of(CACHE, cache.name)));
        return tier.getAll(keys)
                .thenAccept(found -> caches.forEach(cache -> apply(tier, cache, found)))
                .toCompletableFuture();
    }

    private void apply(Tier tier, CacheState cache, Map<CacheKey, Lookup> answers) {
        Lookup found = answers.get(CacheKey.of(CACHE, cache.name));
        if (tier.level() == TierLevel.L3 && !(found instanceof Lookup.Unavailable)) {
            cache.markerFromBackupIsKnown();
        }
        if (found instanceof Lookup.Hit hit
                && hit.entry().version().isNewerThan(cache.cleared())
                && clock.observe(hit.entry().version())) {
            cache.raise(hit.entry().version());
            flights.fenceAll(cache.name);
        }
    }
}
