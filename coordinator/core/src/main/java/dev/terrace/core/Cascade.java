package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Source;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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
    private final @Nullable MissedWrites missed;
    private final MetricRegistry metrics;
    private final Counter refusedVersions;

    Cascade(Tiers tiers, HybridClock clock, @Nullable MissedWrites missed, MetricRegistry metrics) {
        this.tiers = tiers;
        this.clock = clock;
        this.missed = missed;
        this.metrics = metrics;
        this.refusedVersions = metrics.counter("versions.refused");
    }

    /** What the tiers hold under {@code key}. Never fails. */
    CompletionStage<Found> find(CacheState cache, CacheKey key) {
        Found best = local(cache, key);
        return best.settles(clock.millis()) ? CompletableFuture.completedStage(best) : below(cache, key, best);
    }

    /** As {@link #find} without L1, which may lag behind other nodes. */
    CompletionStage<Found> findBelowLocal(CacheState cache, CacheKey key) {
        return below(cache, key, Found.NOTHING);
    }

    /** What L1 holds. */
    Found local(CacheState cache, CacheKey key) {
        if (tiers.local() == null) {
            return Found.NOTHING;
        }
        Lookup found = tiers.local().get(key).toCompletableFuture().join();
        return better(cache, Found.NOTHING, found, Source.L1);
    }

    private CompletionStage<Found> below(CacheState cache, CacheKey key, Found best) {
        if (tiers.remote() == null) {
            return backup(cache, key, best);
        }
        return tiers.remote().get(key).thenCompose(lookup -> {
            Found better = better(cache, best, shadowed(key, lookup), Source.L2);
            return better.settles(clock.millis())
                    ? CompletableFuture.completedStage(better)
                    : backup(cache, key, better);
        });
    }

    private CompletionStage<Found> backup(CacheState cache, CacheKey key, Found best) {
        if (tiers.backup() == null) {
            return CompletableFuture.completedStage(best);
        }
        return tiers.backup().get(key).thenApply(lookup -> better(cache, best, lookup, Source.L3));
    }

    /** Searches L2 and L3 for every key that {@code best}, what L1 holds, leaves open; answers with {@code best}. */
    CompletionStage<Map<CacheKey, Found>> findAllBelow(CacheState cache, Map<CacheKey, Found> best) {
        CompletionStage<Void> remote = tiers.remote() == null
                ? CompletableFuture.completedStage(null)
                : tiers.remote()
                        .getAll(open(best))
                        .thenAccept(found -> found.forEach((key, lookup) ->
                                best.put(key, better(cache, found(best, key), shadowed(key, lookup), Source.L2))));
        return remote.thenCompose(done -> {
            List<CacheKey> open = open(best);
            return tiers.backup() == null || open.isEmpty()
                    ? CompletableFuture.completedStage(best)
                    : tiers.backup().getAll(open).thenApply(found -> {
                        found.forEach(
                                (key, lookup) -> best.put(key, better(cache, found(best, key), lookup, Source.L3)));
                        return best;
                    });
        });
    }

    private static Found found(Map<CacheKey, Found> best, CacheKey key) {
        return best.getOrDefault(key, Found.NOTHING);
    }

    private List<CacheKey> open(Map<CacheKey, Found> best) {
        long now = clock.millis();
        List<CacheKey> open = new ArrayList<>();
        best.forEach((key, found) -> {
            if (!found.settles(now)) {
                open.add(key);
            }
        });
        return open;
    }

    /** A write that L2 missed counts as what L2 holds, unless L2 holds something newer. */
    private Lookup shadowed(CacheKey key, Lookup lookup) {
        Entry pending = missed == null ? null : missed.shadow(key);
        if (pending == null || pending.isExpired(clock.millis())) {
            return lookup;
        }
        Version held = lookup instanceof Lookup.Hit hit ? hit.entry().version() : null;
        return pending.version().isNewerThan(held) ? new Lookup.Hit(pending) : lookup;
    }

    private Found better(CacheState cache, Found best, Lookup lookup, Source source) {
        if (lookup instanceof Lookup.Unavailable no) {
            countUnavailable(no.tier(), no.cause().name());
            return best;
        }
        if (!(lookup instanceof Lookup.Hit hit)) {
            return best;
        }
        Entry entry = hit.entry();
        if (!clock.observe(entry.version())) {
            refusedVersions.inc();
            return best;
        }
        Version known = best.entry() == null ? null : best.entry().version();
        return cache.hides(entry) || !entry.version().isNewerThan(known) ? best : new Found(entry, source);
    }

    /** Counts that a tier was skipped. */
    void countUnavailable(TierLevel tier, String cause) {
        metrics.counter("tier." + tier.name().toLowerCase(Locale.ROOT) + ".skipped." + cause.toLowerCase(Locale.ROOT))
                .inc();
    }
}
