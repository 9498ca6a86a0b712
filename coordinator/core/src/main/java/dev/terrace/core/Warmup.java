package dev.terrace.core;

import dev.terrace.api.BadInputException;
import dev.terrace.api.InterruptedCallException;
import dev.terrace.spi.Entry;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/** One warm-up: walks L3 and writes batches, if newer, into L2 and L1. Used once, by one thread. */
final class Warmup {
    private static final int BATCH = 500;

    private final Engine engine;
    private final WarmupPlan plan;
    private final Function<String, CacheState> states;
    private final Consumer<WarmupProgress> listener;
    private final long started = System.nanoTime();
    private final List<Entry> batch = new ArrayList<>(BATCH);
    private final long total;
    private long read;
    private long copied;
    private long superseded;
    private long failed;
    private boolean stopped;

    Warmup(Engine engine, WarmupPlan plan, Function<String, CacheState> states, Consumer<WarmupProgress> listener) {
        this.engine = engine;
        this.plan = plan;
        this.states = states;
        this.listener = listener;
        this.total = engine.tiers().scannable() == null
                ? -1
                : engine.tiers().scannable().status().entries();
    }

    WarmupReport run() {
        ScannableTier source = engine.tiers().scannable();
        if (source == null) {
            throw new BadInputException("nothing to warm up from: there is no L3", "set backup_storage.enabled: true");
        }
        source.scan(this::take);
        flush();
        WarmupReport.Outcome outcome = stopped
                ? WarmupReport.Outcome.STOPPED
                : read >= plan.maxEntries() ? WarmupReport.Outcome.REACHED_LIMIT : WarmupReport.Outcome.EXHAUSTED;
        return new WarmupReport(progress(), outcome);
    }

    private boolean take(Entry entry) {
        if (Thread.currentThread().isInterrupted() || engine.gate().isClosed()) {
            stopped = true;
            return false;
        }
        String cache = entry.key().cache();
        boolean wanted = entry.isValue()
                && !entry.isExpired(engine.clock().millis())
                && (plan.caches().isEmpty() || plan.caches().contains(cache))
                && !cache.startsWith(Markers.RESERVED_PREFIX)
                && !states.apply(cache).hides(entry);
        if (wanted) {
            read++;
            batch.add(entry);
            if (batch.size() == BATCH) {
                flush();
            }
        }
        return read < plan.maxEntries();
    }

    private void flush() {
        if (batch.isEmpty()) {
            return;
        }
        learnTags();
        List<Entry> entries = batch.stream()
                .filter(entry -> !states.apply(entry.key().cache()).hides(entry))
                .toList();
        batch.clear();
        Tier remote = engine.tiers().remote();
        LocalTier local = plan.localToo() ? engine.tiers().local() : null;
        long[] writesSeen = entries.stream()
                .mapToLong(entry -> engine.copies().writesSeen(entry.key()))
                .toArray();
        List<StoreOutcome> outcomes = remote == null ? List.of() : put(remote, entries);
        for (int i = 0; i < entries.size(); i++) {
            StoreOutcome outcome = outcomes.isEmpty() ? StoreOutcome.APPLIED : outcomes.get(i);
            boolean outdated = outcome instanceof StoreOutcome.Superseded;
            if (!outdated && local != null) {
                Entry entry = entries.get(i);
                CacheState cache = states.apply(entry.key().cache());
                StoreOutcome inLocal = engine.copies().warm(local, cache, entry, writesSeen[i]);
                outcome = remote == null ? inLocal : outcome;
            }
            count(outcome);
        }
        listener.accept(progress());
        pace();
    }

    /** So that what was invalidated by a tag is not copied. */
    private void learnTags() {
        Map<CacheState, Set<String>> unknown = new HashMap<>();
        for (Entry entry : batch) {
            CacheState cache = states.apply(entry.key().cache());
            if (cache.mustAskFor(entry)) {
                unknown.computeIfAbsent(cache, first -> new HashSet<>()).addAll(entry.tags());
            }
        }
        unknown.forEach((cache, tags) -> await(engine.markers().learnTags(cache, tags)));
    }

    private static List<StoreOutcome> put(Tier remote, List<Entry> entries) {
        return await(remote.putAll(entries));
    }

    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedCallException("a warm-up batch", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("a tier broke its contract: its stage must complete normally in time", e);
        }
    }

    private void count(StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Applied) {
            copied++;
        } else if (outcome instanceof StoreOutcome.Superseded) {
            superseded++;
        } else {
            failed++;
        }
    }

    /** Waits until the plan's rate allows the next batch. */
    private void pace() {
        long due = (long) (read * 1e9 / plan.entriesPerSecond());
        for (long early = due - (System.nanoTime() - started);
                early > 0 && !Thread.currentThread().isInterrupted();
                early = due - (System.nanoTime() - started)) {
            LockSupport.parkNanos(early);
        }
    }

    private WarmupProgress progress() {
        return new WarmupProgress(
                read, copied, superseded, failed, total, Duration.ofNanos(System.nanoTime() - started));
    }
}
