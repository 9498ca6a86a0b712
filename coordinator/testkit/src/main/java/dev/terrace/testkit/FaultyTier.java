package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A tier that fails on command. Starts healthy. Thread-safe.
 *
 * <ul>
 *   <li>{@link #failWith}: answers at once that it is unavailable; nothing reaches the storage.
 *   <li>{@link #loseReplies}: writes happen, but the answer says TIMEOUT. Reads work.
 *   <li>{@link #hang}: never answers, against the rules of {@link Tier}; nothing reaches the storage.
 *   <li>{@link #hold}: calls wait until {@link #release}, then run in their order.
 * </ul>
 */
public final class FaultyTier extends ForwardingTier {
    private enum Mode {
        HEALTHY,
        FAILING,
        LOSING_REPLIES,
        HANGING,
        HOLDING
    }

    private final AtomicInteger calls = new AtomicInteger();
    private final List<Runnable> held = new ArrayList<>();
    private Mode mode = Mode.HEALTHY;
    private Unavailability cause = Unavailability.ERROR;

    /** Puts faults between callers and {@code tier}. */
    public FaultyTier(Tier tier) {
        super(tier);
    }

    /** From now on answers that it is unavailable. */
    public synchronized void failWith(Unavailability why) {
        mode = Mode.FAILING;
        cause = why;
    }

    /** From now on writes happen and are answered with TIMEOUT; reads work. */
    public synchronized void loseReplies() {
        mode = Mode.LOSING_REPLIES;
        cause = Unavailability.TIMEOUT;
    }

    /** From now on never answers. */
    public synchronized void hang() {
        mode = Mode.HANGING;
    }

    /** From now on lets calls wait. */
    public synchronized void hold() {
        mode = Mode.HOLDING;
    }

    /** Healthy again; calls that wait run now, on this thread. Calls that hang go on hanging. */
    public void release() {
        List<Runnable> waiting;
        synchronized (this) {
            mode = Mode.HEALTHY;
            waiting = new ArrayList<>(held);
            held.clear();
        }
        waiting.forEach(Runnable::run);
    }

    /** Calls that wait for {@link #release}. */
    public synchronized int waiting() {
        return held.size();
    }

    /** Calls of get, getAll, put and putAll so far. */
    public int calls() {
        return calls.get();
    }

    private <T> CompletionStage<T> through(boolean write, Supplier<CompletionStage<T>> call, Supplier<T> unavailable) {
        calls.incrementAndGet();
        Mode now;
        synchronized (this) {
            now = mode;
            if (now == Mode.HOLDING) {
                CompletableFuture<T> later = new CompletableFuture<>();
                held.add(() -> call.get().whenComplete((result, bug) -> settle(later, result, bug)));
                return later;
            }
        }
        return switch (now) {
            case HEALTHY, HOLDING -> call.get();
            case FAILING -> CompletableFuture.completedFuture(unavailable.get());
            case LOSING_REPLIES -> write ? call.get().thenApply(lost -> unavailable.get()) : call.get();
            case HANGING -> new CompletableFuture<>();
        };
    }

    private static <T> void settle(CompletableFuture<T> later, T result, @Nullable Throwable bug) {
        if (bug != null) {
            later.completeExceptionally(bug);
        } else {
            later.complete(result);
        }
    }

    private synchronized Lookup noLookup() {
        return new Lookup.Unavailable(level(), cause, "as the test says");
    }

    private synchronized StoreOutcome noStore() {
        return new StoreOutcome.Unavailable(level(), cause, "as the test says");
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return through(false, () -> super.get(key), this::noLookup);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return through(false, () -> super.getAll(keys), () -> {
            Map<CacheKey, Lookup> none = new HashMap<>();
            keys.forEach(key -> none.put(key, noLookup()));
            return none;
        });
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return through(true, () -> super.put(entry, condition), this::noStore);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return through(true, () -> super.putAll(entries), () -> Collections.nCopies(entries.size(), noStore()));
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return through(true, () -> super.put(entry, condition, mode), this::noStore);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return through(true, () -> super.putAll(entries, mode), () -> Collections.nCopies(entries.size(), noStore()));
    }
}
