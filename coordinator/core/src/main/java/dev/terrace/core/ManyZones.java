package dev.terrace.core;

import dev.terrace.api.Acknowledgements;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An L2 that keeps copies in several zones. Thread-safe. */
final class ManyZones implements Remote {
    private final ReplicatedStore store;
    private final HybridClock clock;
    private final Function<CacheKey, ReplicationMode> modes;

    ManyZones(ReplicatedStore store, HybridClock clock, Function<CacheKey, ReplicationMode> modes) {
        this.modes = modes;
        this.store = store;
        this.clock = clock;
    }

    @Override
    public CompletionStage<Written> write(Intent intent) {
        ReplicationMode mode = intent.terms().mode();
        return store.write(intent.key(), intent.make(), mode).thenApply(said -> written(intent.make(), said, mode));
    }

    @Override
    public CompletionStage<List<Written>> writeAll(List<Intent> intents) {
        List<CompletableFuture<Written>> all = new ArrayList<>(intents.size());
        intents.forEach(intent -> all.add(write(intent).toCompletableFuture()));
        return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .thenApply(done -> all.stream().map(CompletableFuture::join).toList());
    }

    @Override
    public CompletionStage<Written> store(Entry entry, ReplicationMode mode) {
        return store.put(entry, WriteCondition.IF_NEWER, mode).thenApply(outcome -> {
            Acknowledgements acks = outcome instanceof StoreOutcome.Applied applied
                    ? Acknowledgements.ofServers(mode, applied.acked(), applied.required())
                    : null;
            return new Written(entry, outcome, acks, outcome instanceof StoreOutcome.Unavailable);
        });
    }

    @Override
    public CompletionStage<Written> change(
            CacheKey key, WriteCondition condition, Function<Version, Entry> make, ReplicationMode mode) {
        ReplicatedStore.Change change = (held, version) -> holds(condition, held) ? make.apply(version) : null;
        return store.change(key, change).thenApply(said -> {
            Written written = written(make, said, mode);
            return said.outcome() == Replicated.Outcome.REFUSED
                    ? new Written(written.entry(), superseded(said.current()), written.acknowledgements(), false)
                    : written;
        });
    }

    /** A majority decides whatever the mode; where none can be had and the class does not ask for one, copies are made. */
    @Override
    public CompletionStage<Written> fill(Entry entry, @Nullable Version seen) {
        Function<Version, Entry> make = version -> new Entry(
                entry.key(),
                entry.kind(),
                version,
                entry.createdMillis(),
                entry.freshUntilMillis(),
                entry.staleUntilMillis(),
                entry.tags(),
                entry.payload());
        ReplicationMode mode = modes.apply(entry.key());
        return change(entry.key(), new WriteCondition.IfUnchanged(seen), make, mode)
                .thenCompose(written -> written.outcome() instanceof StoreOutcome.Unavailable
                                && !written.possible()
                                && mode == ReplicationMode.ASYNC
                        ? store(entry, mode)
                        : CompletableFuture.completedStage(written));
    }

    private static StoreOutcome superseded(@Nullable Entry current) {
        return new StoreOutcome.Superseded(current == null ? null : current.version());
    }

    /** What every tier does within itself, see {@link WriteCondition}. */
    private boolean holds(WriteCondition condition, @Nullable Entry held) {
        long now = clock.millis();
        Entry live = held == null || held.isExpired(now) ? null : held;
        if (condition instanceof WriteCondition.IfUnchanged since) {
            return live == null || live.version().equals(since.seen());
        }
        if (condition instanceof WriteCondition.IfVersion wanted) {
            return live != null && live.version().equals(wanted.expected());
        }
        return !(condition instanceof WriteCondition.IfAbsent) || live == null || !live.isValue() || !live.isFresh(now);
    }

    @Override
    public CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode) {
        return store.read(key, mode);
    }

    private Written written(Function<Version, Entry> make, Replicated said, ReplicationMode mode) {
        Version version = said.version() == null ? clock.next() : said.version();
        int acked = said.acked().size();
        Acknowledgements acks = new Acknowledgements(mode, acked, said.required(), said.acked(), said.hinted());
        StoreOutcome outcome = switch (said.outcome()) {
            case ACKNOWLEDGED -> new StoreOutcome.Applied(acked, said.required());
            case REFUSED -> new StoreOutcome.Superseded(said.version());
            // A write that asks for one copy and got none is what it is with one zone that is away.
            case FAILED, UNKNOWN ->
                new StoreOutcome.Unavailable(
                        TierLevel.L2,
                        said.outcome() == Replicated.Outcome.UNKNOWN
                                ? Unavailability.TIMEOUT
                                : Unavailability.DISCONNECTED,
                        said.detail());
        };
        // What was written may be what a merge made of it.
        Entry merged = said.outcome() == Replicated.Outcome.ACKNOWLEDGED ? said.current() : null;
        Entry entry = merged == null ? make.apply(version) : merged;
        return new Written(entry, outcome, acks, said.outcome() == Replicated.Outcome.UNKNOWN);
    }
}
