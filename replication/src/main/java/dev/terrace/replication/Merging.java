package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.Version;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Writes that merge what was written without their knowing; see {@link ConflictResolver}. Thread-safe. */
final class Merging {
    private static final int MOST_SEEN = 100_000;

    private final Context context;
    private final Map<String, ConflictResolver> resolvers;

    /** The newest version that this node has read or written, by key. */
    private final LastWritten seen = new LastWritten(MOST_SEEN);

    /**
     * @param resolvers by cache name
     */
    Merging(Context context, Map<String, ConflictResolver> resolvers) {
        this.context = context;
        this.resolvers = resolvers;
    }

    boolean appliesTo(CacheKey key) {
        return !resolvers.isEmpty() && resolvers.containsKey(key.cache());
    }

    /** Notes what this node's callers learn. */
    Lookup saw(CacheKey key, Lookup found) {
        if (found instanceof Lookup.Hit hit && appliesTo(key)) {
            seen.wrote(key, hit.entry().version());
        }
        return found;
    }

    /** Completes with what was written as {@link Replicated#current} when it is another value than was offered. */
    CompletionStage<Replicated> write(CacheKey key, Function<Version, Entry> make) {
        Entry[] merged = new Entry[1];
        return new QuorumChange(context, key, (held, version) -> {
                    Entry offered = make.apply(version);
                    merged[0] = merge(held, offered);
                    return merged[0] == null ? offered : merged[0];
                })
                .start()
                .result()
                .thenApply(receipt -> {
                    Version version = receipt.version();
                    if (receipt.outcome() != Replicated.Outcome.ACKNOWLEDGED || version == null) {
                        return receipt;
                    }
                    seen.wrote(key, version);
                    Entry stored = merged[0];
                    if (stored == null) {
                        return receipt;
                    }
                    context.meters().merged.inc();
                    return new Replicated(
                            receipt.outcome(),
                            version,
                            receipt.acked(),
                            receipt.required(),
                            receipt.hinted(),
                            stored,
                            receipt.detail());
                });
    }

    /** Null when there is nothing to merge. */
    private @Nullable Entry merge(@Nullable Entry held, Entry offered) {
        ConflictResolver resolver = resolvers.get(offered.key().cache());
        if (held == null
                || resolver == null
                || !held.isValue()
                || !offered.isValue()
                || held.isExpired(context.clock().millis())
                || !held.version().isNewerThan(seen.of(offered.key()))) {
            return null;
        }
        return new Entry(
                offered.key(),
                offered.kind(),
                offered.version(),
                offered.createdMillis(),
                offered.freshUntilMillis(),
                offered.staleUntilMillis(),
                offered.tags(),
                resolver.merge(offered.key(), held.payload(), offered.payload()));
    }
}
