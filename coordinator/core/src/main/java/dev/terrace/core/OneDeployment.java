package dev.terrace.core;

import dev.terrace.api.Acknowledgements;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An L2 that decides every key in one place. Thread-safe. */
final class OneDeployment implements Remote {
    private final Tier tier;
    private final HybridClock clock;

    OneDeployment(Tier tier, HybridClock clock) {
        this.tier = tier;
        this.clock = clock;
    }

    @Override
    public CompletionStage<Written> write(Intent intent) {
        return store(intent.make().apply(clock.next()), intent.terms().mode());
    }

    @Override
    public CompletionStage<Written> store(Entry entry, ReplicationMode mode) {
        return tier.put(entry, WriteCondition.IF_NEWER, mode).thenApply(outcome -> written(entry, outcome, mode));
    }

    @Override
    public CompletionStage<List<Written>> writeAll(List<Intent> intents) {
        Map<ReplicationMode, List<Integer>> byMode = new EnumMap<>(ReplicationMode.class);
        List<Entry> entries = new ArrayList<>(intents.size());
        for (int i = 0; i < intents.size(); i++) {
            Intent intent = intents.get(i);
            entries.add(intent.make().apply(clock.next()));
            byMode.computeIfAbsent(intent.terms().mode(), mode -> new ArrayList<>())
                    .add(i);
        }
        List<Written> written = new ArrayList<>(Collections.nCopies(intents.size(), Written.nowhere(entries.get(0))));
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        byMode.forEach((mode, places) -> {
            List<Entry> part = places.stream().map(entries::get).toList();
            asked.add(tier.putAll(part, mode)
                    .thenAccept(outcomes -> {
                        for (int i = 0; i < part.size(); i++) {
                            Written one = written(part.get(i), outcomes.get(i), mode);
                            synchronized (written) {
                                written.set(places.get(i), one);
                            }
                        }
                    })
                    .toCompletableFuture());
        });
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new)).thenApply(done -> {
            synchronized (written) {
                return List.copyOf(written);
            }
        });
    }

    @Override
    public CompletionStage<Written> change(
            CacheKey key, WriteCondition condition, Function<Version, Entry> make, ReplicationMode mode) {
        Entry entry = make.apply(clock.next());
        return tier.put(entry, condition, mode).thenApply(outcome -> written(entry, outcome, mode));
    }

    @Override
    public CompletionStage<Written> fill(Entry entry, @Nullable Version seen) {
        return tier.put(entry, new WriteCondition.IfUnchanged(seen), ReplicationMode.ASYNC)
                .thenApply(outcome -> written(entry, outcome, ReplicationMode.ASYNC));
    }

    @Override
    public CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode) {
        return tier.get(key);
    }

    private static Written written(Entry entry, StoreOutcome outcome, ReplicationMode mode) {
        if (outcome instanceof StoreOutcome.Applied applied) {
            return new Written(
                    entry, outcome, Acknowledgements.ofServers(mode, applied.acked(), applied.required()), false);
        }
        if (outcome instanceof StoreOutcome.Underacknowledged few) {
            // The primary has it, and may be lost together with it.
            return new Written(entry, outcome, Acknowledgements.ofServers(mode, few.acked(), few.required()), true);
        }
        return new Written(
                entry, outcome, null, outcome instanceof StoreOutcome.Unavailable no && mayHaveHappened(no.cause()));
    }

    private static boolean mayHaveHappened(Unavailability cause) {
        return switch (cause) {
            case TIMEOUT, DISCONNECTED, ERROR, STORAGE -> true;
            case OVERLOADED, BREAKER_OPEN, FORGETFUL, CLOSED -> false;
        };
    }
}
