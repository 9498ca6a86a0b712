package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Searches L1, L2 and L3 for keys, one after the other, until one holds something that settles the question. A tier that
 * cannot say is skipped and counted. Thread-safe.
 *
 * <p>Of several copies the newest counts: a tombstone or a stale value found above hides everything older below it.
 */
final class Cascade {
    private final Tiers tiers;
    private final HybridClock clock;
    private final Missed missed;
    private final TierPatience patience;
    private final MetricRegistry metrics;
    private final Counter refusedVersions;
    private BiFunction<CacheState, Set<String>, CompletionStage<Void>> tagLearner =
            (cache, tags) -> CompletableFuture.completedStage(null);
    private Function<CacheState, CompletionStage<Boolean>> markerLearner =
            cache -> CompletableFuture.completedStage(true);

    private static final long AWAITED_FRESH_MILLIS = 1_000;
    private static final Lookup TOO_SLOW = tooSlow(TierLevel.L2);
    private static final Lookup BACKUP_TOO_SLOW = tooSlow(TierLevel.L3);

    /** Null where nothing is written behind. */
    private @Nullable Function<CacheKey, @Nullable Entry> awaited;

    /** L3 may have missed what other nodes wrote up to here. */
    private volatile Version backupMayLack = Version.ZERO;

    Cascade(Tiers tiers, HybridClock clock, Missed missed, TierPatience patience, MetricRegistry metrics) {
        this.patience = patience;
        this.tiers = tiers;
        this.clock = clock;
        this.missed = missed;
        this.metrics = metrics;
        this.refusedVersions = metrics.counter("versions.refused");
    }

    private static Lookup tooSlow(TierLevel tier) {
        return new Lookup.Unavailable(tier, Unavailability.TIMEOUT, "no answer within soft_timeout");
    }

    /**
     * This node may have missed notices until now: what L3 holds from before is the newest for nobody but caches that promise
     * nothing.
     */
    void doubtBackup() {
        backupMayLack = clock.next();
    }

    /** Whether another node may have replaced what L3 holds, without this one having heard of it, in a cache that promises to know. */
    boolean mayHaveBeenReplaced(CacheState cache, Entry inBackup) {
        return mayHaveBeenReplaced(cache, inBackup, cache.trust.of(inBackup.key()));
    }

    /** @param trusted drawn before L3 was asked */
    private boolean mayHaveBeenReplaced(CacheState cache, Entry inBackup, boolean trusted) {
        return !cache.trust.isUnconditional(inBackup.key())
                && !(trusted && inBackup.version().isNewerThan(backupMayLack));
    }

    /**
     * Without L2's answer, or its markers, what this node has of its own may be old; and what L2 has not confirmed may never have
     * been there.
     */
    @SuppressWarnings("ReferenceEquality") // whether it is the answer itself
    private Found byRemote(
            CacheState cache,
            CacheKey key,
            Found best,
            Lookup answered,
            Lookup said,
            boolean markersKnown,
            OpenTags open) {
        Found found = better(cache, best, said, Source.L2, open);
        boolean sure = found.source() != Source.L2
                || cache.trust.isUnconditional(key)
                || !(answered instanceof Lookup.Unavailable)
                        && said == answered
                        && markersKnown
                        && cache.isMarkerFromRemoteKnown();
        return sure ? found : found.doubted().withGap();
    }

    private Found judged(CacheState cache, CacheKey key, Found best, Lookup said, OpenTags open) {
        boolean trusted = cache.trust.of(key);
        Found found = better(cache, best, said, Source.L3, open);
        Entry entry = found.entry();
        boolean sure = found.source() != Source.L3 || entry == null || !mayHaveBeenReplaced(cache, entry, trusted);
        return sure ? found : found.doubted();
    }

    /** What the tiers hold under {@code key}, or what waits to be written to the origin. Never fails. */
    CompletionStage<Found> find(CacheState cache, CacheKey key) {
        if (awaited == null) {
            return search(cache, key);
        }
        Entry waits = awaiting(key);
        // Looked at again afterwards: it may have been accepted meanwhile. What has arrived meanwhile is still right.
        return search(cache, key).thenApply(best -> over(over(best, waits), awaiting(key)));
    }

    private CompletionStage<Found> search(CacheState cache, CacheKey key) {
        return sure(cache, open -> {
            Found best = local(cache, key, open);
            return best.settles(clock.millis())
                    ? CompletableFuture.completedStage(best)
                    : below(cache, key, best, open);
        });
    }

    /** Searches; when entries carry tags whose markers are not known, asks for these and searches once more. */
    private <T> CompletionStage<T> sure(CacheState cache, Function<OpenTags, CompletionStage<T>> search) {
        OpenTags open = new OpenTags(true);
        return search.apply(open)
                .thenCompose(found -> open.tags().isEmpty()
                        ? CompletableFuture.completedStage(found)
                        : tagLearner.apply(cache, open.tags()).thenCompose(done -> search.apply(new OpenTags(false))));
    }

    /**
     * Tags whose markers a search found missing.
     *
     * @param tags the tags
     * @param skips whether entries with such tags are passed over; else they are used, in doubt
     */
    private record OpenTags(Set<String> tags, boolean skips) {
        OpenTags(boolean skips) {
            this(ConcurrentHashMap.newKeySet(), skips);
        }
    }

    private @Nullable Entry awaiting(CacheKey key) {
        return awaited == null ? null : awaited.apply(key);
    }

    /** Writes that the origin lacks, by key. Must be called before the first search. */
    void heedAwaited(Function<CacheKey, @Nullable Entry> byKey) {
        awaited = byKey;
    }

    /**
     * What waits to be written hides everything older, and every tombstone: an invalidation drops copies, and this is none. It is fresh
     * while it waits, because the origin has nothing newer; the copies made of it are short-lived.
     */
    private Found over(Found best, @Nullable Entry waits) {
        if (waits == null) {
            return best;
        }
        Entry known = best.entry();
        boolean newer = known != null
                && known.kind() != EntryKind.TOMBSTONE
                && !best.doubtful()
                && !waits.version().isNewerThan(known.version());
        if (newer) {
            return best;
        }
        long until = clock.millis() + AWAITED_FRESH_MILLIS;
        return new Found(
                new Entry(
                        waits.key(),
                        waits.kind(),
                        waits.version(),
                        waits.createdMillis(),
                        until,
                        until,
                        waits.tags(),
                        waits.payload()),
                Source.JOURNAL,
                false,
                best.incomplete(),
                best.seenByRemote(),
                best.remoteLater());
    }

    /** Must be called before the first search. */
    void learnMarkersBy(Function<CacheState, CompletionStage<Boolean>> learner) {
        markerLearner = learner;
    }

    /**
     * Who may not have heard of markers must ask L2 for them beside what it holds, where an entry stays that a marker hides.
     *
     * @return whether they are known
     */
    private CompletionStage<Boolean> markers(CacheState cache, boolean heard) {
        return heard ? CompletableFuture.completedStage(true) : markerLearner.apply(cache);
    }

    /** Must be called before the first search. */
    void learnTagsBy(BiFunction<CacheState, Set<String>, CompletionStage<Void>> learner) {
        tagLearner = learner;
    }

    /**
     * As {@link #find} by L2's word, which must have been had: what L1 holds may lag behind other nodes, and without L2's
     * answer nothing can be decided.
     *
     * @param byRemote what L2 said
     * @param exact whether L2 is asked for markers even by who should have heard of them
     */
    CompletionStage<Found> findBelow(CacheState cache, CacheKey key, Lookup byRemote, boolean exact) {
        return markers(cache, !exact && cache.trust.of(key))
                .thenCompose(known -> sure(cache, open -> {
                    Found told = better(cache, Found.NOTHING, byRemote, Source.L2, open);
                    Entry entry = told.entry();
                    if (exact && entry != null && (!known || cache.mustAskFor(entry))) {
                        // Who asks what there is for sure must not hear that there is nothing.
                        throw new UnavailableException(
                                "a read of cache '" + cache.name
                                        + "' by the word of L2's copies could not learn from L2 what was cleared",
                                "try again later, or read without a mode");
                    }
                    Found best = known ? told : told.doubted().withGap();
                    return best.settles(clock.millis())
                            ? CompletableFuture.completedStage(best)
                            : backup(cache, key, best, open);
                }));
    }

    /**
     * What L3 holds beside {@code best}, for a node that does not go by its tiers and has no other answer left; never fresh.
     */
    CompletionStage<Found> lastResort(CacheState cache, CacheKey key, Found best) {
        return sure(cache, open -> backup(cache, key, best, open)).thenApply(Found::doubted);
    }

    /** What L1 holds, unless it must be asked first whether it was invalidated. */
    Found local(CacheState cache, CacheKey key) {
        return local(cache, key, new OpenTags(true));
    }

    private Found local(CacheState cache, CacheKey key, OpenTags open) {
        if (tiers.local() == null) {
            return Found.NOTHING;
        }
        // Before the copy is read: what was heard by now has been done to it.
        boolean trusted = cache.trust.of(key);
        Lookup said = tiers.local().get(key).toCompletableFuture().join();
        Found found = better(cache, Found.NOTHING, said, Source.L1, open);
        return trusted && cache.stance().usesCopies() ? found : found.doubted();
    }

    private CompletionStage<Found> below(CacheState cache, CacheKey key, Found best, OpenTags open) {
        if (!cache.stance().usesCopies()) {
            return CompletableFuture.completedStage(best);
        }
        if (tiers.remote() == null) {
            return backup(cache, key, best, open);
        }
        Entry before = Missed.pending(missed.remote(), key);
        boolean heard = cache.trust.of(key);
        TierPatience.Writes writes = patience.before(TierLevel.L2, List.of(key));
        CompletionStage<Lookup> asked = tiers.remote().get(key);
        CompletionStage<Lookup> inTime = patience.within(TierLevel.L2, asked, TOO_SLOW);
        Function<Lookup, Found> soFar = lookup -> {
            if (!isTooSlow(lookup)) {
                return best;
            }
            asked.thenAccept(late -> late(cache, key, Source.L2, before, late, heard, writes));
            return best.withRemoteLater(asked.thenApply(Cascade::versionOf));
        };
        if (heard) {
            return inTime.thenCompose(lookup -> below(cache, key, soFar.apply(lookup), before, lookup, true, open));
        }
        return inTime.thenCombine(
                        patience.within(TierLevel.L2, markers(cache, false), false),
                        (lookup, known) -> below(cache, key, soFar.apply(lookup), before, lookup, known, open))
                .thenCompose(found -> found);
    }

    private CompletionStage<Found> below(
            CacheState cache,
            CacheKey key,
            Found best,
            @Nullable Entry before,
            Lookup lookup,
            boolean markersKnown,
            OpenTags open) {
        Lookup said = said(missed.remote(), key, before, lookup);
        Found better =
                byRemote(cache, key, best, lookup, said, markersKnown, open).withRemote(versionOf(lookup));
        return better.settles(clock.millis())
                ? CompletableFuture.completedStage(better)
                : backup(cache, key, better, open);
    }

    private CompletionStage<Found> backup(CacheState cache, CacheKey key, Found best, OpenTags open) {
        if (tiers.backup() == null) {
            return CompletableFuture.completedStage(best);
        }
        Entry before = Missed.pending(missed.backup(), key);
        TierPatience.Writes writes = patience.before(TierLevel.L3, List.of(key));
        CompletionStage<Lookup> asked = tiers.backup().get(key);
        return patience.within(TierLevel.L3, asked, BACKUP_TOO_SLOW).thenApply(lookup -> {
            if (isTooSlow(lookup)) {
                asked.thenAccept(late -> late(cache, key, Source.L3, before, late, true, writes));
            }
            return judged(cache, key, best, said(missed.backup(), key, before, lookup), open);
        });
    }

    @SuppressWarnings("ReferenceEquality") // whether it is not the tier's own answer
    private static boolean isTooSlow(@Nullable Lookup lookup) {
        return lookup == TOO_SLOW || lookup == BACKUP_TOO_SLOW;
    }

    /** A tier answers after the search has gone on without it. */
    private void late(
            CacheState cache,
            CacheKey key,
            Source source,
            @Nullable Entry before,
            Lookup said,
            boolean heard,
            TierPatience.Writes writes) {
        if (!(said instanceof Lookup.Hit)) {
            return;
        }
        OpenTags open = new OpenTags(true);
        if (source == Source.L2) {
            Lookup shadowed = said(missed.remote(), key, before, said);
            patience.late(
                    cache, TierLevel.L2, byRemote(cache, key, Found.NOTHING, said, shadowed, heard, open), writes);
        } else {
            Lookup shadowed = said(missed.backup(), key, before, said);
            patience.late(cache, TierLevel.L3, judged(cache, key, Found.NOTHING, shadowed, open), writes);
        }
    }

    /** Searches L2 and L3 for every key that what L1 holds leaves open. */
    <K> CompletionStage<Void> findAllBelow(CacheState cache, List<Search<K>> searches) {
        if (awaited == null) {
            return searchAllBelow(cache, searches);
        }
        Map<CacheKey, Entry> waits = new HashMap<>();
        for (Search<K> search : searches) {
            Entry one = awaiting(search.key);
            if (one != null) {
                waits.put(search.key, one);
            }
        }
        return searchAllBelow(cache, searches).thenRun(() -> {
            long now = clock.millis();
            for (Search<K> search : searches) {
                if (search.best.source() != Source.L1 || !search.best.settles(now)) {
                    search.best = over(over(search.best, waits.get(search.key)), awaiting(search.key));
                }
            }
        });
    }

    private <K> CompletionStage<Void> searchAllBelow(CacheState cache, List<Search<K>> searches) {
        if (!cache.stance().usesCopies()) {
            return CompletableFuture.completedStage(null);
        }
        return sure(cache, open -> {
            if (!open.skips()) {
                for (Search<K> search : searches) {
                    search.best = search.best.entry() == null ? local(cache, search.key, open) : search.best;
                }
            }
            return level(cache, tiers.remote(), missed.remote(), Source.L2, searches, open)
                    .thenCompose(done -> level(cache, tiers.backup(), missed.backup(), Source.L3, searches, open));
        });
    }

    private <K> CompletionStage<Void> level(
            CacheState cache,
            @Nullable Tier tier,
            @Nullable MissedWrites missedByTier,
            Source source,
            List<Search<K>> searches,
            OpenTags openTags) {
        List<CacheKey> open = tier == null ? List.of() : open(searches);
        if (tier == null || open.isEmpty()) {
            return CompletableFuture.completedStage(null);
        }
        Map<CacheKey, Entry> before = Missed.pending(missedByTier, open);
        boolean heard = source != Source.L2 || searches.stream().allMatch(search -> cache.trust.of(search.key));
        TierLevel level = source == Source.L2 ? TierLevel.L2 : TierLevel.L3;
        TierPatience.Writes writes = patience.before(level, open);
        CompletionStage<Map<CacheKey, Lookup>> asked = tier.getAll(open);
        Map<CacheKey, Lookup> tooSlow = patience.ends(level) ? allTooSlow(open, level) : Map.of();
        CompletionStage<Boolean> markers = patience.within(level, markers(cache, heard), false);
        return patience.within(level, asked, tooSlow).thenAcceptBoth(markers, (found, known) -> {
            if (isTooSlow(found.get(open.get(0)))) {
                asked.thenAccept(late ->
                        late.forEach((key, said) -> late(cache, key, source, before.get(key), said, heard, writes)));
            }
            for (Search<K> search : searches) {
                Lookup lookup = found.get(search.key);
                if (lookup != null) {
                    Lookup said = said(missedByTier, search.key, before.get(search.key), lookup);
                    search.best = source == Source.L3
                            ? judged(cache, search.key, search.best, said, openTags)
                            : byRemote(cache, search.key, search.best, lookup, said, known, openTags)
                                    .withRemote(versionOf(lookup));
                    if (source == Source.L2 && isTooSlow(lookup)) {
                        search.best = search.best.withRemoteLater(
                                asked.thenApply(late -> versionOf(late.getOrDefault(search.key, TOO_SLOW))));
                    }
                }
            }
        });
    }

    private static Map<CacheKey, Lookup> allTooSlow(List<CacheKey> keys, TierLevel level) {
        Map<CacheKey, Lookup> all = new HashMap<>();
        keys.forEach(key -> all.put(key, level == TierLevel.L2 ? TOO_SLOW : BACKUP_TOO_SLOW));
        return all;
    }

    private <K> List<CacheKey> open(List<Search<K>> searches) {
        long now = clock.millis();
        List<CacheKey> open = new ArrayList<>(searches.size());
        for (Search<K> search : searches) {
            if (!search.best.settles(now)) {
                open.add(search.key);
            }
        }
        return open;
    }

    private Lookup said(@Nullable MissedWrites missedByTier, CacheKey key, @Nullable Entry before, Lookup lookup) {
        return counted(missedByTier == null ? lookup : missedByTier.shadowed(key, before, lookup));
    }

    private static @Nullable Version versionOf(Lookup lookup) {
        return lookup instanceof Lookup.Hit hit ? hit.entry().version() : null;
    }

    private Found better(CacheState cache, Found best, Lookup lookup, Source source, OpenTags open) {
        if (!(lookup instanceof Lookup.Hit hit)) {
            return lookup instanceof Lookup.Unavailable ? best.withGap() : best;
        }
        Entry entry = hit.entry();
        if (!clock.observe(entry.version())) {
            refusedVersions.inc();
            return best;
        }
        if (cache.hides(entry)) {
            return best;
        }
        boolean unsure = cache.mustAskFor(entry);
        if (unsure && open.skips()) {
            open.tags().addAll(entry.tags());
            return best;
        }
        Version known = best.entry() == null ? null : best.entry().version();
        boolean confirms = best.doubtful() && entry.version().equals(known) && source == Source.L2;
        // Somebody has read it elsewhere, see Sliding.
        boolean outlives = best.entry() != null
                && entry.version().equals(known)
                && entry.freshUntilMillis() > best.entry().freshUntilMillis();
        boolean doubtful = unsure && !cache.trust.isUnconditional(entry.key());
        return confirms || outlives || entry.version().isNewerThan(known)
                ? new Found(
                        entry,
                        source,
                        doubtful,
                        best.incomplete() || doubtful && source == Source.L2,
                        best.seenByRemote(),
                        best.remoteLater())
                : best;
    }

    /** Counts a tier that is skipped. */
    private Lookup counted(Lookup said) {
        if (said instanceof Lookup.Unavailable no) {
            metrics.counter("tier." + lower(no.tier()) + ".skipped." + lower(no.cause()))
                    .inc();
        }
        return said;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
