package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * L2 as writers see it: it draws the versions, because over several zones they come out of the protocol. Stages complete
 * normally. Thread-safe.
 */
interface Remote {
    /** A plain write. */
    CompletionStage<Written> write(Intent intent);

    /** Many of them, as few round trips as can be; in their order. */
    CompletionStage<List<Written>> writeAll(List<Intent> intents);

    /** A plain write that has its version. */
    CompletionStage<Written> store(Entry entry, ReplicationMode mode);

    /** A conditional write, atomic for all nodes. */
    CompletionStage<Written> change(
            CacheKey key, WriteCondition condition, Function<Version, Entry> make, ReplicationMode mode);

    /**
     * Stores what a loader brought, if L2 still holds what was there when the load began. Never more than one copy is waited for.
     *
     * @param seen the version that was there; null when nothing was
     */
    CompletionStage<Written> fill(Entry entry, @Nullable Version seen);

    /** What is there, by the word of as many copies as {@code mode} asks. */
    CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode);

    /** What is there, as {@link #change} would see it. */
    default CompletionStage<Lookup> readForChange(CacheKey key) {
        return read(key, ReplicationMode.QUORUM);
    }

    /** The right one for {@code tier}. */
    static Remote over(Tier tier, HybridClock clock, Function<CacheKey, ReplicationMode> modes) {
        if (tier instanceof UndecidedRemote.Facade facade) {
            return facade.remote();
        }
        return tier instanceof ReplicatedStore store
                ? new ManyZones(store, clock, modes)
                : new OneDeployment(tier, clock);
    }
}
