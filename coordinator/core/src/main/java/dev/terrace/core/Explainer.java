package dev.terrace.core;

import dev.terrace.api.Explanation;
import dev.terrace.api.Explanation.Copy;
import dev.terrace.api.Source;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Asks every tier about a key and says in words what a read makes of it. */
final class Explainer {
    private Explainer() {}

    static <K, V> CompletionStage<Explanation> explain(
            Engine engine, CacheState cache, Coding<K, V> coding, CacheKey key) {
        List<Tier> tiers = engine.tiers().present();
        List<CompletableFuture<Lookup>> asked = new ArrayList<>();
        long trustedUntil = cache.trust.until();
        NearCopy near = engine.copies().near().peek(key);
        tiers.forEach(tier -> asked.add(tier.get(key).toCompletableFuture()));
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
                .thenCompose(all -> engine.cascade().find(cache, key))
                .thenApply(found -> {
                    long now = engine.clock().millis();
                    List<Copy> copies = new ArrayList<>();
                    for (int i = 0; i < tiers.size(); i++) {
                        copies.add(withNear(copy(tiers.get(i), asked.get(i).join(), cache, coding, now), near, now));
                    }
                    String decision = near != null && NearReads.isUsable(cache, near, now, trustedUntil)
                            ? "a read answers the decoded value in the near cache, version " + near.version()
                            : decision(found, now) + (found.settles(now) ? "" : "; " + load(engine, key));
                    return new Explanation(cache.name, key.toString(), copies, decision);
                });
    }

    /** The near cache is a part of L1, and told of there. */
    private static Copy withNear(Copy copy, @Nullable NearCopy near, long now) {
        if (copy.tier() != TierLevel.L1 || near == null) {
            return copy;
        }
        String detail =
                (copy.detail().isEmpty() ? "" : copy.detail() + "; ") + "in the near cache: version " + near.version()
                        + (now < near.untilMillis ? " for " + (near.untilMillis - now) + " ms more" : ", over");
        return new Copy(
                copy.tier(),
                copy.state(),
                copy.kind(),
                copy.version(),
                copy.age(),
                copy.freshFor(),
                copy.payloadBytes(),
                detail);
    }

    private static <K, V> Copy copy(Tier tier, Lookup lookup, CacheState cache, Coding<K, V> coding, long now) {
        if (lookup instanceof Lookup.Hit hit) {
            Entry entry = hit.entry();
            return new Copy(
                    tier.level(),
                    "hit",
                    entry.kind(),
                    entry.version(),
                    Duration.ofMillis(Math.max(0, now - entry.createdMillis())),
                    Duration.ofMillis(entry.freshUntilMillis() - now),
                    entry.payload().length,
                    detail(entry, cache, coding));
        }
        boolean away = lookup instanceof Lookup.Unavailable;
        String detail = lookup instanceof Lookup.Unavailable no ? no.cause() + ": " + no.detail() : "";
        return new Copy(tier.level(), away ? "unavailable" : "miss", null, null, null, null, 0, detail);
    }

    private static <K, V> String detail(Entry entry, CacheState cache, Coding<K, V> coding) {
        if (cache.hides(entry.version())) {
            return "hidden by clear() at version " + cache.cleared();
        }
        if (cache.hides(entry)) {
            return "hidden because one of its tags " + entry.tags() + " was invalidated";
        }
        return entry.isValue() && coding.decode(entry) == null
                ? "its bytes are not a value of this cache's codec: a read treats it as a miss"
                : "";
    }

    /** What stands between the key and its origin. */
    private static String load(Engine engine, CacheKey key) {
        String turn = engine.turns().describe(key);
        return (turn.isEmpty() ? "" : turn + "; ") + engine.guard().describe(key);
    }

    private static String decision(Found found, long now) {
        Entry entry = found.entry();
        if (entry == null) {
            return "no tier holds a usable entry: a read misses, and asks the loader if it has one";
        }
        String where = found.source() == Source.NONE ? "" : " in " + found.source();
        if (found.isFreshValue(now)) {
            return "a read answers the fresh value" + where + ", the first one that settles the question";
        }
        if (found.isFreshNegative(now)) {
            return "a read answers that the origin has no value, as remembered" + where;
        }
        if (found.isUsableValue(now)) {
            return "the newest value" + where + " is stale: a read asks the loader, and answers it if that fails";
        }
        return "the newest entry" + where + " is a " + entry.kind()
                + ": everything older is ignored, a read misses and asks the loader if it has one";
    }
}
