package dev.terrace.core;

import dev.terrace.config.WritePolicy;
import dev.terrace.core.origin.OriginCall;
import dev.terrace.core.origin.OriginTarget;
import dev.terrace.core.origin.WriteAnswer;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.core.origin.WriterCalls;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The origin as writing behind sees it, and what is done for the caches when a write has arrived there. While a write waited, other
 * nodes may have found no copy of it any more (it was evicted, or its time was over) and have loaded what the origin held before. So
 * when the origin has it, L2 must hold exactly that write; else the key is invalidated, and the next read loads what is there now. Thread-safe.
 */
final class Arrivals implements WriteBehind.Origin {
    private final OriginWrites writes;
    private final WriterCalls calls;
    private final Tiers tiers;
    private final Flights flights;
    private final Announcer announcer;
    private final OriginWrites.Invalidations invalidations;

    Arrivals(
            OriginWrites writes,
            WriterCalls calls,
            Tiers tiers,
            Flights flights,
            Announcer announcer,
            OriginWrites.Invalidations invalidations) {
        this.writes = writes;
        this.calls = calls;
        this.tiers = tiers;
        this.flights = flights;
        this.announcer = announcer;
        this.invalidations = invalidations;
    }

    @Override
    public boolean hasWriter(String cache) {
        return writes.target(cache) != null;
    }

    @Override
    public boolean takesMany(String cache) {
        OriginTarget target = writes.target(cache);
        return target != null && target.takesMany();
    }

    @Override
    public WritePolicy policy(CacheKey key) {
        return writes.policy(key);
    }

    @Override
    public CompletionStage<List<WriteAnswer>> write(String cache, List<OriginCall> batch) {
        OriginTarget target = writes.target(cache);
        if (target == null) {
            throw new IllegalStateException("cache '" + cache + "' has lost its writer");
        }
        WriterCalls.Started started =
                calls.start(target, batch, policy(batch.get(0).entry().key()).timeout());
        return started.ended().thenCombine(started.answered(), (ended, answers) -> answers);
    }

    @Override
    public CompletionStage<?> taken(Entry entry) {
        return writes.stored(entry.version()).thenCompose(done -> lookAfter(entry));
    }

    private CompletionStage<?> lookAfter(Entry entry) {
        // A refresh that began before may have read the origin as it was.
        flights.fence(entry.key());
        if (isReplaced(entry)) {
            return CompletableFuture.completedStage(null);
        }
        Tier remote = tiers.remote();
        if (remote == null) {
            // Alone, this node has answered from what waited all the while.
            return announcer.isSilent()
                    ? CompletableFuture.completedStage(null)
                    : invalidations.invalidate(entry.key());
        }
        return remote.get(entry.key()).thenCompose(said -> {
            boolean doubtful = said instanceof Lookup.Miss
                    || said instanceof Lookup.Hit hit && !hit.entry().version().equals(entry.version());
            return doubtful && !isReplaced(entry)
                    ? invalidations.invalidate(entry.key()).thenApply(receipt -> null)
                    : CompletableFuture.completedStage(null);
        });
    }

    /** Something newer of this node waits, and will be looked after when that has arrived. */
    private boolean isReplaced(Entry entry) {
        Entry waiting = writes.pending(entry.key());
        return waiting != null && !waiting.version().equals(entry.version());
    }

    @Override
    public CompletionStage<?> givenUp(Entry entry) {
        return writes.stored(entry.version())
                .thenCompose(done -> isReplaced(entry)
                        ? CompletableFuture.completedStage(null)
                        : invalidations.invalidate(entry.key()));
    }
}
