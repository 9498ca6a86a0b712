package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * How long a search waits for L2 and for L3 before it goes on without them, which is less than how long a call may take. What they say
 * after that is copied into L1 if it still may be. L1 answers on the caller's thread, and is never waited for. Thread-safe.
 */
final class TierPatience {
    private final ScheduledExecutorService timer;
    private final LocalCopies copies;
    private final @Nullable LocalTier local;
    private final HybridClock clock;
    private final Soft remote;
    private final Soft backup;

    /** @param millis zero for whatever the tier's own deadline says */
    private record Soft(long millis, Counter timeouts, Counter lateFills) {
        static Soft of(@Nullable Duration timeout, String tier, MetricRegistry metrics) {
            return new Soft(
                    timeout == null ? 0 : timeout.toMillis(),
                    metrics.counter("tier." + tier + ".soft_timeouts"),
                    metrics.counter("tier." + tier + ".late_fills"));
        }
    }

    /** @param local null without an L1 */
    TierPatience(
            Settings settings,
            @Nullable LocalTier local,
            LocalCopies copies,
            HybridClock clock,
            ScheduledExecutorService timer,
            MetricRegistry metrics) {
        this.timer = timer;
        this.copies = copies;
        this.local = local;
        this.clock = clock;
        this.remote = Soft.of(settings.distributedCache().softTimeout(), "l2", metrics);
        this.backup = Soft.of(settings.backupStorage().softTimeout(), "l3", metrics);
    }

    private Soft of(TierLevel tier) {
        return tier == TierLevel.L2 ? remote : backup;
    }

    /** False when the tier is waited for until its own deadline. */
    boolean ends(TierLevel tier) {
        return of(tier).millis() > 0;
    }

    /**
     * What {@code asked} says, or {@code without} when that takes too long.
     *
     * @param asked completes normally, some time
     */
    <T> CompletionStage<T> within(TierLevel tier, CompletionStage<T> asked, T without) {
        Soft soft = of(tier);
        if (soft.millis() == 0 || asked.toCompletableFuture().isDone()) {
            return asked;
        }
        CompletableFuture<T> inTime = new CompletableFuture<>();
        AtomicBoolean decided = new AtomicBoolean();
        Future<?> alarm;
        try {
            alarm = timer.schedule(
                    () -> {
                        if (decided.compareAndSet(false, true)) {
                            // Counted first: who goes on must find it counted.
                            soft.timeouts().inc();
                            inTime.complete(without);
                        }
                    },
                    soft.millis(),
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            return asked;
        }
        asked.whenComplete((said, bug) -> {
            if (!decided.compareAndSet(false, true)) {
                return;
            }
            alarm.cancel(false);
            if (bug == null) {
                inTime.complete(said);
            } else {
                inTime.completeExceptionally(bug);
            }
        });
        return inTime;
    }

    /** To be taken before tiers are asked for {@code keys}, for {@link #late}. */
    Writes before(TierLevel tier, Collection<CacheKey> keys) {
        Map<CacheKey, Long> seen = new HashMap<>();
        if (ends(tier)) {
            keys.forEach(key -> seen.put(key, copies.writesSeen(key)));
        }
        return new Writes(seen);
    }

    /** How many writes had been seen, by key. */
    record Writes(Map<CacheKey, Long> seen) {}

    /** Copies into L1 what a tier said too late for the search, unless something was written meanwhile. */
    void late(CacheState cache, TierLevel tier, Found found, Writes before) {
        Entry entry = found.entry();
        Long seen = entry == null ? null : before.seen().get(entry.key());
        if (local == null || entry == null || seen == null || !found.settles(clock.millis())) {
            return;
        }
        if (copies.warm(local, cache, entry, seen) instanceof StoreOutcome.Applied) {
            of(tier).lateFills().inc();
        }
    }
}
