package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Version;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Searches by L2's word, which has just said that there is something newer than what was found: what this node has of its own is not
 * looked at. Thread-safe.
 *
 * @param remote L2; null without one
 */
record SecondLook(Cascade cascade, @Nullable Remote remote) implements FleetTurns.Look {
    @Override
    public CompletionStage<Found> apply(CacheState cache, CacheKey key) {
        if (remote == null) {
            return cascade.find(cache, key);
        }
        return remote.readForChange(key).thenCompose(lookup -> {
            if (lookup instanceof Lookup.Unavailable) {
                return CompletableFuture.completedStage(Found.NOTHING);
            }
            Version held = lookup instanceof Lookup.Hit hit ? hit.entry().version() : null;
            return cascade.findBelow(cache, key, lookup, false).thenApply(found -> found.withRemote(held));
        });
    }
}
