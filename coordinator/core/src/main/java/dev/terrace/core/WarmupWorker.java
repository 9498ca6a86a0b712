package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntrySource;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Peeking;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One thread of a warm-up: reads entries, leaves out what must not be copied, and writes the rest in batches, if newer, into L2 and then L1. A
 * few batches are on their way to L2 while the next is read; they end in their order. For one thread.
 */
final class WarmupWorker implements Runnable {
    /** With as many workers as {@link Warmup} has, L2 is never asked for so much at once that it refuses callers. */
    static final int MOST_IN_BATCH = 500;

    static final int BATCHES_UNDER_WAY = 2;
    private static final int MOST_BATCH_BYTES = 1 << 20;
    private static final int LEAST_IN_BATCH = 20;

    /** Each entry under way is there as it was read, encoded, and in the buffers of a connection. */
    private static final int COPIES = 3;

    private static final long SLOW_BATCH_NANOS = TimeUnit.MILLISECONDS.toNanos(60);
    private static final long SHORT_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Warmup job;
    private final Engine engine;
    private final EntrySource source;
    private final @Nullable Tier remote;
    private final @Nullable Peeking peeking;
    private final @Nullable LocalTier local;
    private final long mostBytesUnderWay;
    private final Queue<UnderWay> underWay = new ArrayDeque<>();
    private List<Entry> batch = new ArrayList<>();
    private int batchBytes;
    private long bytesUnderWay;
    private int batchLimit = MOST_IN_BATCH;
    private @Nullable CacheState lastState;

    /** A batch on its way to L2, or the end of a part behind its last batch. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record UnderWay(
            List<Entry> entries,
            long[] writesSeen,
            @Nullable CompletionStage<List<StoreOutcome>> outcomes,
            long bytes,
            long startedNanos,
            int finishedPart) {}

    WarmupWorker(Warmup job, Engine engine, EntrySource source, @Nullable LocalTier local, long memoryBytes) {
        this.job = job;
        this.engine = engine;
        this.source = source;
        this.remote = engine.tiers().remote();
        this.peeking = engine.warming().fleet().peeking();
        this.local = local;
        this.mostBytesUnderWay = memoryBytes / COPIES / 2;
    }

    @Override
    public void run() {
        for (List<CacheKey> hot = job.nextHot(); hot != null && !job.isOver(); hot = job.nextHot()) {
            hot(hot);
            job.hotSent();
        }
        drain();
        while (!job.isHotSent() && !job.isOver()) {
            LockSupport.parkNanos(SHORT_WAIT_NANOS);
        }
        while (source.readiness() != EntrySource.Readiness.WHOLE && !job.isOver()) {
            LockSupport.parkNanos(WAIT_NANOS); // Parts of what is being restored would lack what is still on its way.
        }
        while (!job.isOver()) {
            WarmupShares.Next next = job.shares().next();
            if (next instanceof WarmupShares.Next.Away) {
                drain();
                job.remoteIsAway();
            } else if (next instanceof WarmupShares.Next.Copy copy) {
                job.remoteAnswered();
                scan(copy.part(), false);
                if (!job.isOver()) {
                    end(copy.part());
                }
            } else if (next instanceof WarmupShares.Next.Complete complete) {
                scan(complete.part(), true);
            } else if (next instanceof WarmupShares.Next.Finished) {
                break;
            } else {
                drain();
                LockSupport.parkNanos(WAIT_NANOS);
            }
        }
        drain();
    }

    /** All nodes have their own, so L2 is told nothing that it knows already, and L1 gets all. */
    private void hot(List<CacheKey> keys) {
        Map<CacheKey, Lookup> found = Waiting.on(source.getAll(keys));
        for (CacheKey key : keys) {
            if (found.get(key) instanceof Lookup.Hit hit) {
                take(hit.entry(), true);
            }
        }
        send(true);
    }

    private void scan(int part, boolean onlyWhatLacks) {
        source.scan(part, WarmupShares.PARTS, entry -> {
            take(entry, onlyWhatLacks);
            return !job.isOver();
        });
        send(onlyWhatLacks);
    }

    private void take(Entry entry, boolean onlyWhatLacks) {
        if (job.isOver() || !isWanted(entry)) {
            return;
        }
        int bytes = Envelope.length(entry);
        if (!batch.isEmpty()
                && (batch.size() >= Math.min(batchLimit, job.pace().batch(MOST_IN_BATCH))
                        || (long) batchBytes + bytes > MOST_BATCH_BYTES)) {
            send(onlyWhatLacks);
        }
        if (job.isOver() || !job.admit(bytes)) {
            return;
        }
        batch.add(entry);
        batchBytes += bytes;
    }

    /** Most entries belong to the cache of the one before. */
    private CacheState state(String cache) {
        CacheState last = lastState;
        if (last == null || !last.name.equals(cache)) {
            last = job.state(cache);
            lastState = last;
        }
        return last;
    }

    private boolean isWanted(Entry entry) {
        String cache = entry.key().cache();
        if (!entry.isValue()
                || entry.isExpired(engine.clock().millis())
                || !job.plan().wants(cache)) {
            return false;
        }
        CacheState state = state(cache);
        if (state.hides(entry)) {
            return false;
        }
        if (!job.plan().trustsBackup() && engine.cascade().mayHaveBeenReplaced(state, entry)) {
            job.tally().doubted.incrementAndGet();
            return false;
        }
        return true;
    }

    /** Sends what was gathered, when there is room and time for it. */
    private void send(boolean onlyWhatLacks) {
        if (batch.isEmpty()) {
            return;
        }
        List<Entry> gathered = batch;
        int bytes = batchBytes;
        batch = new ArrayList<>();
        batchBytes = 0;
        if (!job.pace().await(gathered.size(), job::isBrokenOff)) {
            return;
        }
        while (underWay.size() >= BATCHES_UNDER_WAY
                || !underWay.isEmpty() && bytesUnderWay + bytes > mostBytesUnderWay) {
            settle();
        }
        learnTags(gathered);
        List<Entry> entries = new ArrayList<>(gathered);
        entries.removeIf(entry -> state(entry.key().cache()).hides(entry));
        long[] writesSeen = entries.stream()
                .mapToLong(entry -> engine.copies().writesSeen(entry.key()))
                .toArray();
        long now = System.nanoTime();
        CompletionStage<List<StoreOutcome>> outcomes =
                remote == null ? null : onlyWhatLacks && peeking != null ? putLacking(entries) : remote.putAll(entries);
        underWay.add(new UnderWay(entries, writesSeen, outcomes, bytes, now, -1));
        bytesUnderWay += bytes;
        if (outcomes == null) {
            settle();
        }
    }

    /** The outcomes of {@code entries}, of which only those are sent that L2 holds no version of, or an older one. */
    private CompletionStage<List<StoreOutcome>> putLacking(List<Entry> entries) {
        Tier into = remote;
        Peeking asked = peeking;
        if (into == null || asked == null) {
            throw new IllegalStateException("only with an L2 that tells versions");
        }
        return asked.versions(entries.stream().map(Entry::key).toList()).thenCompose(held -> {
            List<Entry> lacking = new ArrayList<>();
            List<StoreOutcome> outcomes = new ArrayList<>();
            List<Integer> open = new ArrayList<>();
            for (Entry entry : entries) {
                Version there = held.get(entry.key());
                boolean lacks = there == null || entry.version().isNewerThan(there);
                // Nothing but the same version may go into L1 as well.
                outcomes.add(lacks || there == null ? StoreOutcome.APPLIED : new StoreOutcome.Superseded(there));
                if (lacks) {
                    open.add(outcomes.size() - 1);
                    lacking.add(entry);
                }
            }
            if (lacking.isEmpty()) {
                return CompletableFuture.completedStage(outcomes);
            }
            return into.putAll(lacking).thenApply(put -> {
                for (int i = 0; i < open.size(); i++) {
                    outcomes.set(open.get(i), put.get(i));
                }
                return outcomes;
            });
        });
    }

    /** So that what was invalidated by a tag is not copied. */
    private void learnTags(List<Entry> entries) {
        Map<CacheState, Set<String>> unknown = new HashMap<>();
        for (Entry entry : entries) {
            if (!entry.tags().isEmpty()) {
                CacheState cache = state(entry.key().cache());
                if (cache.mustAskFor(entry)) {
                    unknown.computeIfAbsent(cache, first -> new HashSet<>()).addAll(entry.tags());
                }
            }
        }
        unknown.forEach((cache, tags) -> Waiting.on(engine.markers().learnTags(cache, tags)));
    }

    /** The part is finished as soon as all that is under way is. */
    private void end(int part) {
        underWay.add(new UnderWay(List.of(), new long[0], null, 0, 0, part));
        while (!underWay.isEmpty() && underWay.peek().finishedPart() >= 0) {
            settle();
        }
    }

    private void drain() {
        while (!underWay.isEmpty()) {
            settle();
        }
    }

    /** Waits for the oldest batch, and puts into L1 what L2 has of it. */
    private void settle() {
        UnderWay oldest = underWay.remove();
        bytesUnderWay -= oldest.bytes();
        if (oldest.finishedPart() >= 0) {
            if (!job.isOver()) {
                job.shares().finish(oldest.finishedPart());
            }
            return;
        }
        List<StoreOutcome> outcomes = List.of();
        if (oldest.outcomes() != null) {
            outcomes = Waiting.on(oldest.outcomes());
            adapt(System.nanoTime() - oldest.startedNanos());
            outcomes = again(oldest.entries(), outcomes);
        }
        WarmupTally.Batch counts = new WarmupTally.Batch();
        for (int i = 0; i < oldest.entries().size(); i++) {
            Entry entry = oldest.entries().get(i);
            StoreOutcome outcome = outcomes.isEmpty() ? StoreOutcome.APPLIED : outcomes.get(i);
            StoreOutcome inLocal = isThere(outcome, entry) ? copyHere(entry, oldest.writesSeen()[i]) : null;
            counts.count(remote == null && inLocal != null ? inLocal : outcome, Envelope.length(entry));
        }
        job.tally().add(counts);
    }

    private static boolean isThere(StoreOutcome outcome, Entry entry) {
        return !(outcome instanceof StoreOutcome.Superseded superseded)
                || entry.version().equals(superseded.current());
    }

    private @Nullable StoreOutcome copyHere(Entry entry, long writesSeen) {
        return local == null || !job.localHasRoom()
                ? null
                : engine.copies().warm(local, state(entry.key().cache()), entry, writesSeen);
    }

    /** Tries again what L2 could not take, while there is hope. */
    private List<StoreOutcome> again(List<Entry> entries, List<StoreOutcome> first) {
        List<StoreOutcome> outcomes = first;
        Tier into = remote;
        while (into != null && outcomes.stream().anyMatch(StoreOutcome.Unavailable.class::isInstance)) {
            if (!job.remoteIsAway()) {
                return outcomes;
            }
            List<Integer> open = new ArrayList<>();
            List<Entry> some = new ArrayList<>();
            for (int i = 0; i < entries.size(); i++) {
                if (outcomes.get(i) instanceof StoreOutcome.Unavailable
                        && !state(entries.get(i).key().cache()).hides(entries.get(i))) {
                    open.add(i);
                    some.add(entries.get(i));
                }
            }
            if (some.isEmpty()) {
                return outcomes;
            }
            List<StoreOutcome> next = Waiting.on(into.putAll(some));
            List<StoreOutcome> merged = new ArrayList<>(outcomes);
            for (int i = 0; i < open.size(); i++) {
                merged.set(open.get(i), next.get(i));
            }
            outcomes = merged;
        }
        job.remoteAnswered();
        return outcomes;
    }

    /** A batch that takes long keeps callers waiting: the next ones are smaller. */
    private void adapt(long tookNanos) {
        batchLimit = tookNanos > SLOW_BATCH_NANOS
                ? Math.max(LEAST_IN_BATCH, batchLimit / 2)
                : Math.min(MOST_IN_BATCH, batchLimit + 10);
    }
}
