package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** L2 as writers see it, answered as unavailable at once while the ladder leaves it out: nothing was done then. Thread-safe. */
final class SwitchedRemote implements Remote {
    private final Remote remote;
    private final RemoteUse use;
    private final HybridClock clock;

    SwitchedRemote(Remote remote, RemoteUse use, HybridClock clock) {
        this.remote = remote;
        this.use = use;
        this.clock = clock;
    }

    private Written unwritten(Function<Version, Entry> make) {
        return unwritten(make.apply(clock.next()));
    }

    private static Written unwritten(Entry entry) {
        return new Written(entry, SwitchedTier.NOT_WRITTEN, null, false);
    }

    @Override
    public CompletionStage<Written> write(Intent intent) {
        return use.isWritten() ? remote.write(intent) : CompletableFuture.completedStage(unwritten(intent.make()));
    }

    @Override
    public CompletionStage<List<Written>> writeAll(List<Intent> intents) {
        return use.isWritten()
                ? remote.writeAll(intents)
                : CompletableFuture.completedStage(
                        intents.stream().map(intent -> unwritten(intent.make())).toList());
    }

    @Override
    public CompletionStage<Written> store(Entry entry, ReplicationMode mode) {
        return use.isWritten() ? remote.store(entry, mode) : CompletableFuture.completedStage(unwritten(entry));
    }

    @Override
    public CompletionStage<Written> change(
            CacheKey key, WriteCondition condition, Function<Version, Entry> make, ReplicationMode mode) {
        return use.isWritten()
                ? remote.change(key, condition, make, mode)
                : CompletableFuture.completedStage(unwritten(make));
    }

    @Override
    public CompletionStage<Written> fill(Entry entry, @Nullable Version seen) {
        return use.isWritten() ? remote.fill(entry, seen) : CompletableFuture.completedStage(unwritten(entry));
    }

    @Override
    public CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode) {
        return use.isRead() ? remote.read(key, mode) : CompletableFuture.completedStage(notRead());
    }

    /** A conditional write reads in order to write. */
    @Override
    public CompletionStage<Lookup> readForChange(CacheKey key) {
        return use.isWritten() ? remote.readForChange(key) : CompletableFuture.completedStage(notRead());
    }

    private static Lookup notRead() {
        return new Lookup.Unavailable(TierLevel.L2, Unavailability.BREAKER_OPEN, RemoteUse.LEFT_OUT);
    }
}
