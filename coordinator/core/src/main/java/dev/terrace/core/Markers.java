package dev.terrace.core;

import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Invalidates groups in constant time: a marker, kept like any entry in a reserved cache, hides every entry of a cache, of a
 * namespace or with a tag that is not newer. Markers of other nodes come as notices, and are read from L2 once a second.
 * Thread-safe.
 */
final class Markers {
    /** No user's cache may have a name that starts so. */
    static final String RESERVED_PREFIX = MarkerKeys.RESERVED_PREFIX;

    /** Entries with tags live no longer than the markers of tags are kept. */
    static final long TAGGED_LIFE_MILLIS = TimeUnit.DAYS.toMillis(30);

    private static final long TAG_MARKER_LIFE_MILLIS = TAGGED_LIFE_MILLIS + TimeUnit.DAYS.toMillis(2);

    /** Most tags of one call: each is a marker of its own. */
    static final int MOST_TAGS = 1_000;

    /** Markers on their way at a time, so that many do not run into L2's deadline together. */
    private static final int TAGS_AT_ONCE = 100;

    /** Markers kept for caches that are not open here; what does not fit is read from L2 when the cache is opened. */
    private static final int MOST_EARLY = 10_000;

    private final Tiers tiers;
    private final Writes writes;
    private final Flights flights;
    private final HybridClock clock;
    private final Announcer announcer;
    private final Map<String, CacheState> open = new ConcurrentHashMap<>();
    private final Map<String, Version> early = new ConcurrentHashMap<>();
    private volatile List<Notice.Marker> inherited = List.of();
    private Consumer<Notice.Marker> keeper = marker -> {};

    Markers(Tiers tiers, Writes writes, Flights flights, HybridClock clock, Announcer announcer) {
        this.tiers = tiers;
        this.writes = writes;
        this.flights = flights;
        this.clock = clock;
        this.announcer = announcer;
    }

    /** What an earlier process of this node knew; counts for caches that are opened from now on. */
    void inherit(List<Notice.Marker> markers) {
        markers.forEach(marker -> clock.observe(marker.version()));
        inherited = List.copyOf(markers);
    }

    /** Where a process that comes after this one finds what this one knows. Before anything is heard or invalidated. */
    void keepIn(Consumer<Notice.Marker> newKeeper) {
        keeper = newKeeper;
    }

    /** Hides everything that {@code cache} holds now. */
    CompletionStage<WriteReceipt> clear(CacheState cache, boolean durable) {
        Version version = clock.next();
        // At once, and before anything can fail: hiding too much for a moment is harmless, and whoever calls after this
        // draws newer versions.
        cache.raise(version);
        flights.fenceAll(cache.name);
        Notice.Marker notice = new Notice.Marker(announcer.node(), cache.name, null, version, cache.trust.isStrict());
        keeper.accept(notice);
        return writes.write(marker(MarkerKeys.ofCache(cache.name), version), durable)
                .thenCompose(receipt -> {
                    tiers.present().forEach(tier -> tier.clear(cache.name, version));
                    return announced(List.of(notice), cache.name, cache.trust.isStrict(), receipt);
                });
    }

    /** Hides everything that the caches of a namespace hold now. */
    CompletionStage<WriteReceipt> clearNamespace(String namespace, boolean durable) {
        Version version = clock.next();
        List<CacheState> caches = openIn(namespace);
        caches.forEach(cache -> {
            cache.raise(version);
            flights.fenceAll(cache.name);
        });
        boolean strict = caches.stream().anyMatch(cache -> cache.trust.isStrict());
        Notice.Marker notice = new Notice.Marker(announcer.node(), MarkerKeys.NAMESPACES, namespace, version, strict);
        keeper.accept(notice);
        return writes.write(marker(MarkerKeys.ofNamespace(namespace), version), durable)
                .thenCompose(receipt -> {
                    caches.forEach(cache -> tiers.present().forEach(tier -> tier.clear(cache.name, version)));
                    return announced(List.of(notice), namespace + "/*", strict, receipt);
                });
    }

    private List<CacheState> openIn(String namespace) {
        return open.values().stream()
                .filter(cache -> namespace.equals(MarkerKeys.namespaceOf(cache.name)))
                .toList();
    }

    /** Hides everything of {@code cache} that carries one of {@code tags} now. */
    CompletionStage<WriteReceipt> invalidateTags(CacheState cache, Set<String> tags, boolean durable) {
        Version version = clock.next();
        if (announcer.isSilent()) {
            // What other nodes invalidated before this one would look older than what is known.
            cache.tags.doubt();
        }
        tags.forEach(tag -> cache.tags.raise(tag, version));
        // Who asks from now on must not share what a search found before.
        flights.fenceAll(cache.name);
        boolean strict = cache.trust.isStrict();
        List<Notice> notices = new ArrayList<>();
        tags.forEach(tag -> {
            Notice.Marker notice = new Notice.Marker(announcer.node(), cache.name, tag, version, strict);
            keeper.accept(notice);
            notices.add(notice);
        });
        return writeAll(tagMarkers(cache.name, tags, version), durable)
                .thenCompose(receipts -> announced(notices, cache.name, strict, worst(receipts, version)));
    }

    private CompletionStage<List<WriteReceipt>> writeAll(List<Entry> markers, boolean durable) {
        List<WriteReceipt> receipts = new ArrayList<>();
        CompletionStage<List<WriteReceipt>> before = CompletableFuture.completedStage(receipts);
        for (int from = 0; from < markers.size(); from += TAGS_AT_ONCE) {
            List<Entry> some = markers.subList(from, Math.min(markers.size(), from + TAGS_AT_ONCE));
            before = before.thenCompose(done -> Writes.joined(some.stream()
                            .map(marker -> writes.write(marker, durable).toCompletableFuture())
                            .toList())
                    .thenApply(more -> {
                        receipts.addAll(more);
                        return receipts;
                    }));
        }
        return before;
    }

    private List<Entry> tagMarkers(String cache, Set<String> tags, Version version) {
        long until = clock.millis() + TAG_MARKER_LIFE_MILLIS;
        List<Entry> markers = new ArrayList<>();
        tags.forEach(tag -> markers.add(marker(MarkerKeys.ofTag(cache, tag), version, until)));
        markers.add(marker(MarkerKeys.ofNewestTag(cache), version));
        return markers;
    }

    /** The receipt of several markers: each tier that missed one missed it. A newer marker of the same kind does as well. */
    private static WriteReceipt worst(List<WriteReceipt> receipts, Version version) {
        Set<TierLevel> missed = java.util.EnumSet.noneOf(TierLevel.class);
        Set<TierLevel> stored = java.util.EnumSet.allOf(TierLevel.class);
        boolean durable = true;
        for (WriteReceipt receipt : receipts) {
            if (receipt.applied()) {
                missed.addAll(receipt.missed());
                stored.retainAll(receipt.stored());
                durable &= receipt.durable();
            }
        }
        WriteReceipt last = receipts.get(receipts.size() - 1);
        return new WriteReceipt(true, version, stored, missed, false, durable, last.acknowledgements());
    }

    private CompletionStage<WriteReceipt> announced(
            List<Notice> notices, String what, boolean strict, WriteReceipt receipt) {
        if (announcer.isSilent()) {
            return CompletableFuture.completedStage(receipt);
        }
        return announcer.announce(notices, strict).thenApply(sure -> {
            boolean remoteAway = receipt.missed().contains(TierLevel.L2);
            if (strict && (!sure || remoteAway)) {
                throw Writes.unconfirmed(what, remoteAway);
            }
            return receipt.withAnnounced(sure);
        });
    }

    private Entry marker(CacheKey key, Version version) {
        return marker(key, version, Entry.FOREVER);
    }

    private Entry marker(CacheKey key, Version version, long untilMillis) {
        return new Entry(
                key, EntryKind.VALUE, version, clock.millis(), untilMillis, untilMillis, List.of(), new byte[0]);
    }

    /** Another node invalidated a cache, a namespace, or a tag of a cache. */
    void heard(String cache, @Nullable String tag, Version version) {
        keeper.accept(new Notice.Marker(announcer.node(), cache, tag, version, false));
        if (cache.equals(MarkerKeys.NAMESPACES)) {
            if (tag != null) {
                openIn(tag).forEach(state -> raise(state, version));
                keep(marker(MarkerKeys.ofNamespace(tag), version));
            }
            return;
        }
        CacheState state = open.get(cache);
        if (tag != null) {
            if (state != null) {
                state.tags.raise(tag, version);
                flights.fenceAll(cache);
            }
            tagMarkers(cache, Set.of(tag), version).forEach(this::keep);
            return;
        }
        if (early.size() < MOST_EARLY || early.containsKey(cache)) {
            early.merge(cache, version, (one, other) -> one.isNewerThan(other) ? one : other);
        }
        if (state != null) {
            raise(state, version);
        }
        keep(marker(MarkerKeys.ofCache(cache), version));
    }

    /** So that it holds after a restart too, even if L2 is lost by then. */
    private void keep(Entry marker) {
        if (tiers.backup() != null) {
            writes.storeInBackup(marker);
        }
    }

    private void raise(CacheState cache, Version version) {
        if (version.isNewerThan(cache.cleared())) {
            // What L2 tells may never come as a notice.
            keeper.accept(new Notice.Marker(announcer.node(), cache.name, null, version, false));
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
        for (Notice.Marker marker : inherited) {
            String tag = marker.tag();
            boolean ofNamespace = marker.cache().equals(MarkerKeys.NAMESPACES);
            if (ofNamespace
                    ? tag != null && tag.equals(MarkerKeys.namespaceOf(cache.name))
                    : marker.cache().equals(cache.name)) {
                if (tag == null || ofNamespace) {
                    raise(cache, marker.version());
                } else {
                    cache.tags.raise(tag, marker.version());
                }
            }
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
        caches.forEach(cache -> keysOf(cache).forEach(keys::add));
        return tier.getAll(keys)
                .thenAccept(found -> caches.forEach(cache -> apply(tier, cache, found)))
                .toCompletableFuture();
    }

    private static Stream<CacheKey> keysOf(CacheState cache) {
        String namespace = MarkerKeys.namespaceOf(cache.name);
        Stream<CacheKey> own = Stream.of(MarkerKeys.ofCache(cache.name), MarkerKeys.ofNewestTag(cache.name));
        return namespace == null ? own : Stream.concat(own, Stream.of(MarkerKeys.ofNamespace(namespace)));
    }

    /** What L2 says of a cache's markers now. Never fails; false when it could not say. */
    CompletionStage<Boolean> learnFromRemote(CacheState cache) {
        Tier remote = tiers.remote();
        return remote == null
                ? CompletableFuture.completedStage(true)
                : remote.getAll(keysOf(cache).toList()).thenApply(found -> apply(remote, cache, found));
    }

    /** Returns whether the tier could say. */
    private boolean apply(Tier tier, CacheState cache, Map<CacheKey, Lookup> answers) {
        boolean all = keysOf(cache).noneMatch(key -> answers.get(key) instanceof Lookup.Unavailable);
        if (tier.level() == TierLevel.L2 && all) {
            cache.markerFromRemoteIsKnown();
        }
        if (tier.level() == TierLevel.L3 && all) {
            cache.markerFromBackupIsKnown();
        }
        Version newestTag = versionOf(answers.get(MarkerKeys.ofNewestTag(cache.name)));
        if (newestTag != null && cache.tags.learned(newestTag)) {
            flights.fenceAll(cache.name);
        }
        keysOf(cache)
                .filter(key -> !key.equals(MarkerKeys.ofNewestTag(cache.name)))
                .map(key -> versionOf(answers.get(key)))
                .forEach(version -> {
                    if (version != null) {
                        raise(cache, version);
                    }
                });
        return all;
    }

    private @Nullable Version versionOf(@Nullable Lookup found) {
        return found instanceof Lookup.Hit hit && clock.observe(hit.entry().version())
                ? hit.entry().version()
                : null;
    }

    /** Asks for the markers of {@code tags}. Never fails; what cannot be found out stays unknown. */
    CompletionStage<Void> learnTags(CacheState cache, Set<String> tags) {
        long moment = cache.tags.moment();
        if (tiers.remote() == null && tiers.backup() == null) {
            tags.forEach(tag -> cache.tags.toldByNobody(tag, moment));
            return CompletableFuture.completedStage(null);
        }
        Map<String, CacheKey> keys = new ConcurrentHashMap<>();
        tags.forEach(tag -> keys.put(tag, MarkerKeys.ofTag(cache.name, tag)));
        boolean coming = tiers.isBackupComing();
        CompletableFuture<Map<CacheKey, Lookup>> remote = asked(tiers.remote(), keys.values());
        CompletableFuture<Map<CacheKey, Lookup>> backup = asked(tiers.backup(), keys.values());
        return remote.thenAcceptBoth(
                backup,
                (fromRemote, fromBackup) -> keys.forEach((tag, key) -> {
                    if (!(fromRemote.get(key) instanceof Lookup.Unavailable)
                            && !isAwaited(fromBackup.get(key), coming)) {
                        Version one = versionOf(fromRemote.get(key));
                        Version other = versionOf(fromBackup.get(key));
                        cache.tags.told(tag, one != null && one.isNewerThan(other) ? one : other, moment);
                    }
                }));
    }

    /** L3 is being restored, and whatever keeps it from answering, the marker may come: not to be taken for one that there never was. */
    private static boolean isAwaited(@Nullable Lookup found, boolean coming) {
        return found instanceof Lookup.Unavailable no && (coming || no.cause() == Unavailability.DISCONNECTED);
    }

    private static CompletableFuture<Map<CacheKey, Lookup>> asked(@Nullable Tier tier, Collection<CacheKey> keys) {
        return tier == null
                ? CompletableFuture.completedFuture(Map.of())
                : tier.getAll(List.copyOf(keys)).toCompletableFuture();
    }

    /** Learns again after notices may have been lost. Never fails; false when L2 could not say. */
    CompletionStage<Boolean> learnAgain() {
        List<CacheState> caches = List.copyOf(open.values());
        if (caches.isEmpty() || tiers.remote() == null) {
            return CompletableFuture.completedStage(true);
        }
        caches.forEach(cache -> {
            cache.forgetRemoteMarker();
            cache.tags.doubt();
        });
        return learn(caches).thenApply(done -> caches.stream().allMatch(CacheState::isMarkerFromRemoteKnown));
    }
}
