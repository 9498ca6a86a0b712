package dev.terrace.failover;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.FaultyTier;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A zone whose calls about entries end as its tier is told, and whose tries end as {@link #trouble} says. Thread-safe. */
final class ScriptedZone extends ForwardingTier implements Replica, Probed {
    final AtomicInteger examined = new AtomicInteger();
    volatile String trouble = "";
    private final FaultyTier tier;

    ScriptedZone(FaultyTier tier) {
        super(tier);
        this.tier = tier;
    }

    @Override
    public String zone() {
        return "a";
    }

    @Override
    public CompletionStage<String> probe() {
        return CompletableFuture.completedStage(trouble);
    }

    @Override
    public CompletionStage<Lookup> vote(CacheKey key) {
        return tier.get(key);
    }

    @Override
    public CompletionStage<Ballot> query(CacheKey key) {
        return tier.get(key)
                .thenApply(found -> found instanceof Lookup.Unavailable no
                        ? new Ballot.Unknown(no.cause(), no.detail())
                        : new Ballot.Known(null));
    }

    @Override
    public CompletionStage<Promise> promise(CacheKey key, Version version, Duration keep) {
        return tier.get(key)
                .thenApply(found -> found instanceof Lookup.Unavailable no
                        ? new Promise.Unknown(no.cause(), no.detail())
                        : new Promise.Given(null));
    }

    @Override
    public CompletionStage<StoreOutcome> accept(Entry entry) {
        return tier.put(entry, WriteCondition.IF_NEWER);
    }

    @Override
    public CompletionStage<Standing> examine() {
        examined.incrementAndGet();
        return CompletableFuture.completedStage(Standing.MEMBER);
    }

    @Override
    public CompletionStage<Boolean> admit(String token) {
        return CompletableFuture.completedStage(true);
    }

    @Override
    public CompletionStage<StoreOutcome> restore(Entry entry) {
        return CompletableFuture.completedStage(StoreOutcome.APPLIED);
    }

    @Override
    public CompletionStage<Boolean> restorePromise(CacheKey key, Version version, Duration keep) {
        return CompletableFuture.completedStage(true);
    }

    @Override
    public CompletionStage<ReplicaPage> page(@Nullable String cursor, int limit) {
        return CompletableFuture.completedStage(new ReplicaPage(List.of(), null, ""));
    }
}
