package dev.terrace.core;

import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Clears caches in constant time: a marker, kept like any entry in a reserved cache, hides every entry that is not newer.
 * Markers of other nodes come as notices, and are read from L2 once a second. Thread-safe.
 */
final class Markers {
    /** No user's cache may have a name that starts so. */
    static final String RESERVED_PREFIX = "terrace.";

    private static final String CACHE = RESERVED_PREFIX + "markers";

    /** Markers kept for caches that are not open here; what does not fit is read from L2 when the cache is opened. */
    private static final int MOST_EARLY = 10_000;

    private final Tiers tiers;
    private final Writes writes;
    private final Flights flights;
    private final HybridClock clock;
    private final Announcer announcer;
    private final Map<String, CacheState> open = new ConcurrentHashMap<>();
    private final Map<String, Version> early = new ConcurrentHashMap<>();

    Markers(Tiers tiers, Writes writes, Flights flights, HybridClock clock, Announcer announcer) {
        this.tiers = tiers;
        this.writes = writes;
        this.flights = flights;
        this.clock = clock;
        this.announcer = announcer;
    }

    /** Hides everything that {@code cache} holds now. */
    CompletionStage<WriteReceipt> clear(CacheState cache, boolean durable) {
        Version version = clock.next();
        // At once, and before anything can fail: hiding too much for a moment is harmless, and whoever calls after this
        // draws newer versions.
        cache.raise(version);
        flights.fenceAll(cache.name);
        return writes.write(marker(cache.name, version), durable).thenCompose(receipt -> {
            tiers.present().forEach(tier -> tier.clear(cache.name, version));
            return announced(cache, version, receipt);
        });
    }

    private CompletionStage<WriteReceipt> announced(CacheState cache, Version version, WriteReceipt receipt) {
        if (announcer.isSilent()) {
            return CompletableFuture.completedStage(receipt);
        }
        boolean strict = cache.trust.isStrict();
        Notice notice = new Notice.Marker(announcer.node(), cache.name, null, version, strict);
        return announcer.announce(List.of(notice), strict).thenApply(sure -> {
            boolean remoteAway = receipt.missed().contains(TierLevel.L2);
            if (strict && (!sure || remoteAway)) {
                throw Writes.unconfirmed(cache.name, remoteAway);
            }
            return receipt.withAnnounced(sure);
        });
    }

    private Entry marker(String cache, Version version) {
        return new Entry(
                CacheKey.of(CACHE, cache),
                EntryKind.VALUE,
                version,
                clock.millis(),
                Entry.FOREVER,
                Entry.FOREVER,
                List.of(),
                new byte[0]);
    }

    /** Another node cleared a cache. */
    void heard(String cache, Version version) {
        if (early.size() < MOST_EARLY || early.containsKey(cache)) {
            early.merge(cache, version, (one, other) -> one.isNewerThan(other) ? one : other);
        }
        CacheState state = open.get(cache);
        if (state != null) {
            raise(state, version);
        }
        if (tiers.backup() != null) {
            // So that it holds after a restart too, even if L2 is lost by then.
            writes.storeInBackup(marker(cache, version));
        }
    }

    private void raise(CacheState cache, Version version) {
        if (version.isNewerThan(cache.cleared())) {
            cache.raise(version);
            flights.fenceAll(cache.name);
        }
    }

    /** From now on notices reach this cache. */
    void opened(CacheState cache) {
        open.put(cache.name, cache);
        Version heard = early.get(cache.name);
        if (heard != null) {
            raise(cache, heard);
        }
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
        if (tier.level() == TierLevel.L2 && !(found instanceof Lookup.Unavailable)) {
            cache.markerFromRemoteIsKnown();
        }
        if (tier.level() == TierLevel.L3 && !(found instanceof Lookup.Unavailable)) {
            cache.markerFromBackupIsKnown();
        }
        if (found instanceof Lookup.Hit hit && clock.observe(hit.entry().version())) {
            raise(cache, hit.entry().version());
        }
    }

    /** Learns again after notices may have been lost. Never fails; false when L2 could not say. */
    CompletionStage<Boolean> learnAgain() {
        List<CacheState> caches = List.copyOf(open.values());
        if (caches.isEmpty() || tiers.remote() == null) {
            return CompletableFuture.completedStage(true);
        }
        caches.forEach(CacheState::forgetRemoteMarker);
        return learn(caches).thenApply(done -> caches.stream().allMatch(CacheState::isMarkerFromRemoteKnown));
    }
}
