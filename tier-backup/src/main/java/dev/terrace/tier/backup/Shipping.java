package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.repo.Anchor;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.ChainWriter;
import dev.terrace.tier.backup.repo.Checkpoint;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.FencedException;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.FileUpload;
import dev.terrace.tier.backup.repo.Freshness;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.Place;
import dev.terrace.tier.backup.repo.PrunePlan;
import dev.terrace.tier.backup.repo.Pruner;
import dev.terrace.tier.backup.repo.Ref;
import dev.terrace.tier.backup.repo.Repository;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a repository up with an open folder: a snapshot when it is time, deltas in between, also while a snapshot goes up. Killed anywhere, the next one goes on:
 * what was uploaded is found by name. For one thread. Holds one delta of {@value #DELTA_BYTES} bytes and a batch in memory, and what uploads
 * hold.
 */
final class Shipping {
    private static final Logger LOG = LoggerFactory.getLogger(Shipping.class);
    static final int DELTA_BYTES = 16 << 20;
    private static final int UPLOADS = 3;

    /** So often a chain says that nothing happened. */
    private static final long IDLE_MILLIS = TimeUnit.MINUTES.toMillis(1);

    /**
     * When.
     *
     * @param shipMillis between deltas
     * @param snapshotMillis between snapshots
     * @param keep what stays after a snapshot; null for everything
     */
    record Schedule(
            long shipMillis, long snapshotMillis, @Nullable KeepPolicy keep) {}

    private static final long LONGEST_SETTLING_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long SETTLING_LOOK_MILLIS = 20;

    /** Uploads of backups that died are spared for so long: the next try finds them. */
    private static final long GRACE_MILLIS = TimeUnit.DAYS.toMillis(1);

    /** What must be in the repository before what was sealed with it: the folder's keys. */
    interface KeysAhead {
        /**
         * Brings them up when they changed.
         *
         * @throws FencedException when there are keys of another folder in their place, which stay
         */
        void bring(BlobStore store, int writer) throws BlobException, IOException, FencedException;
    }

    private final PartitionedStore store;
    private final StoreLog log;
    private final StoreCheckpoint checkpoints;
    private final Repository repository;
    private final Place.Memory memory;
    private final KeysAhead keys;
    private final Schedule schedule;
    private final InstantSource clock;
    private final @Nullable Anchor anchor;
    private final Counter snapshots;
    private final Counter deltas;
    private final Counter bytes;
    private final Counter gaps;
    private final Counter fenced;
    private final Counter pruned;
    private @Nullable ChainWriter writer;
    private @Nullable Ref anchored;
    private boolean pruneDue;
    private boolean distrust;
    private boolean snapshotUnderWay;
    private volatile long throughMillis;
    private volatile long deltaMillis;
    private volatile String freshness = "";

    Shipping(
            PartitionedStore store,
            StoreCheckpoint checkpoints,
            Repository repository,
            Place.Memory memory,
            KeysAhead keys,
            Schedule schedule,
            @Nullable Anchor anchor,
            InstantSource clock,
            MetricRegistry metrics) {
        this.store = store;
        this.log = new StoreLog(store);
        this.checkpoints = checkpoints;
        this.repository = repository;
        this.memory = memory;
        this.keys = keys;
        this.schedule = schedule;
        this.clock = clock;
        this.anchor = anchor;
        this.snapshots = metrics.counter("l3.backup.snapshots");
        this.deltas = metrics.counter("l3.backup.deltas");
        this.bytes = metrics.counter("l3.backup.bytes");
        this.gaps = metrics.counter("l3.backup.gaps");
        this.fenced = metrics.counter("l3.backup.fenced");
        this.pruned = metrics.counter("l3.backup.pruned");
        metrics.gauge("l3.backup.lag_millis", () ->
                (Gauge<Long>) () -> throughMillis == 0 ? -1 : Math.max(0, clock.millis() - throughMillis));
    }

    /** Does what is due. Returns where the chain stands. */
    ChainState run()
            throws BlobException, DamagedException, IOException, RocksDBException, PartitionedStore.ClosedStore {
        return run(false);
    }

    /** Takes a snapshot, due or not, and sends again what the repository has lost. */
    ChainState snapshot()
            throws BlobException, DamagedException, IOException, RocksDBException, PartitionedStore.ClosedStore {
        distrust = true;
        try {
            return run(true);
        } finally {
            distrust = false;
        }
    }

    private ChainState run(boolean snapshotNow)
            throws BlobException, DamagedException, IOException, RocksDBException, PartitionedStore.ClosedStore {
        try {
            return runAs(chain(), snapshotNow);
        } catch (FencedException e) {
            fenced.inc();
            LOG.error(
                    "this folder goes on as a new writer of its backup repository, with a snapshot reason={}",
                    e.getMessage());
            ChainWriter fresh = ChainWriter.register(repository, memory, clock);
            writer = fresh;
            try {
                return runAs(fresh, true);
            } catch (FencedException again) {
                throw new IllegalStateException("a writer that has just registered is a copy", again);
            }
        }
    }

    private ChainWriter chain() throws BlobException, DamagedException, IOException, FencedException {
        ChainWriter known = writer;
        if (known == null) {
            known = ChainWriter.open(repository, memory, clock);
            refuseWhenLost(known);
            freshness = freshness(known);
            writer = known;
        }
        return known;
    }

    /**
     * A machine that lost power, or a log that was damaged, may take away what was shipped already. What is written instead has the same
     * numbers, so this chain would go on without it. Another one keeps both, and restoring merges them.
     */
    private void refuseWhenLost(ChainWriter chain) throws FencedException {
        ChainState state = chain.state();
        if (state != null && state.toSequence() > store.knownSequence()) {
            throw new FencedException("writer " + chain.writer() + " has shipped changes up to " + state.toSequence()
                    + ", and the log of this folder went to " + store.knownSequence()
                    + " when it was opened: its end was lost with the power, or to damage");
        }
    }

    /** Before the anchor is told of anything newer. */
    private String freshness(ChainWriter chain) throws BlobException, DamagedException {
        ChainState state = chain.state();
        Anchor elsewhere = anchor;
        Freshness found = Freshness.of(
                repository.chain(chain.writer()),
                state == null ? null : state.head(),
                elsewhere == null ? null : elsewhere.read(chain.writer()).orElse(null),
                null);
        if (found.state() == Freshness.State.ROLLED_BACK) {
            LOG.error("the backup repository is older than it once was detail={}", found.detail());
        }
        return found.detail();
    }

    private ChainState runAs(ChainWriter chain, boolean snapshotNow)
            throws BlobException, DamagedException, IOException, FencedException, RocksDBException,
                    PartitionedStore.ClosedStore {
        ChainState state = chain.state();
        boolean due = snapshotNow
                || state == null
                || clock.millis() - state.snapshot().asOfMillis() >= schedule.snapshotMillis();
        ChainState after = due || state == null ? snapshot(chain, state) : ship(chain, state, false);
        store.know(after.toSequence());
        remember(after);
        return pruneDue ? prune(chain, after) : after;
    }

    /** Elsewhere, so that a repository that is put back to an older state as a whole can be told. */
    private void remember(ChainState state) throws BlobException {
        Anchor elsewhere = anchor;
        if (elsewhere != null && !state.head().equals(anchored)) {
            elsewhere.drop(state.writer(), state.head());
            anchored = state.head();
        }
    }

    private ChainState prune(ChainWriter chain, ChainState state)
            throws BlobException, DamagedException, IOException, FencedException {
        KeepPolicy keep = schedule.keep();
        PrunePlan plan = keep == null ? null : PrunePlan.of(state, keep);
        if (plan != null && !plan.going().isEmpty()) {
            Pruner.Removed removed =
                    new Pruner(repository, repository.chain(chain.writer()), clock).execute(plan, GRACE_MILLIS);
            pruned.inc(plan.going().size());
            LOG.info(
                    "old restore points are pruned points={} blobs={} bytes={} unfinished_uploads={}",
                    plan.going().size(),
                    removed.blobs(),
                    removed.bytes(),
                    removed.unfinished());
        }
        pruneDue = false;
        ChainState after = chain.refresh();
        return after == null ? state : after;
    }

    /** @param unshipped where the chain stands when the log may hold more; null when there is nothing to be shipped first */
    private ChainState snapshot(ChainWriter chain, @Nullable ChainState unshipped)
            throws BlobException, DamagedException, IOException, FencedException, RocksDBException,
                    PartitionedStore.ClosedStore {
        snapshotUnderWay = true;
        try {
            if (unshipped != null) {
                ship(chain, unshipped, true); // So that the segment that ends is whole up to here.
            }
            return takeSnapshot(chain);
        } finally {
            snapshotUnderWay = false;
        }
    }

    private ChainState takeSnapshot(ChainWriter chain)
            throws BlobException, DamagedException, IOException, FencedException, RocksDBException,
                    PartitionedStore.ClosedStore {
        settle(chain);
        Checkpoint checkpoint = checkpoints.take();
        ExecutorService uploads = Executors.newFixedThreadPool(UPLOADS, task -> {
            Thread thread = new Thread(task, "terrace-l3-upload");
            thread.setDaemon(true);
            return thread;
        });
        try {
            keys.bring(repository.store(), chain.writer());
            ChainState after = chain.publishSnapshot(checkpoint, (files, number, base) -> {
                FileUpload upload = new FileUpload(repository, number, base, distrust);
                List<Future<FileUpload.Outcome>> outcomes = new ArrayList<>();
                for (Checkpoint.File file : files) {
                    outcomes.add(uploads.submit(() -> upload.bring(file)));
                }
                List<FileRef> refs = new ArrayList<>();
                for (Future<FileUpload.Outcome> outcome : outcomes) {
                    FileUpload.Outcome done = await(outcome, chain);
                    bytes.inc(done.sentBytes());
                    refs.add(done.ref());
                }
                return refs;
            });
            snapshots.inc();
            pruneDue = true;
            throughMillis = after.throughMillis();
            return after;
        } finally {
            uploads.shutdownNow();
            checkpoints.discard();
        }
    }

    /** What is merged right after it was sent is sent twice. So merges come first, unless they take long. */
    private void settle(ChainWriter chain)
            throws BlobException, DamagedException, IOException, FencedException, RocksDBException,
                    PartitionedStore.ClosedStore {
        store.flushPartitions();
        long begin = System.nanoTime();
        long shipped = begin;
        for (long now = begin; store.isMerging() && now - begin < LONGEST_SETTLING_NANOS; now = System.nanoTime()) {
            try {
                TimeUnit.MILLISECONDS.sleep(SETTLING_LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted before a snapshot", e);
            }
            if (now - shipped >= TimeUnit.MILLISECONDS.toNanos(schedule.shipMillis())) {
                shipMeanwhile(chain);
                shipped = now;
            }
        }
    }

    /** Ships deltas while it waits: however long a snapshot takes, what is lost with this machine is seconds. */
    private FileUpload.Outcome await(Future<FileUpload.Outcome> outcome, ChainWriter chain)
            throws BlobException, DamagedException, IOException, FencedException {
        while (true) {
            try {
                return outcome.get(schedule.shipMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                shipMeanwhile(chain);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof BlobException failed) {
                    throw failed;
                }
                throw new IOException("uploading a file failed", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a snapshot", e);
            }
        }
    }

    private void shipMeanwhile(ChainWriter chain) throws BlobException, DamagedException, IOException, FencedException {
        ChainState state = chain.state();
        if (state != null) {
            try {
                ship(chain, state, false);
            } catch (RocksDBException | PartitionedStore.ClosedStore e) {
                throw new IOException("the log cannot be read: " + e.getMessage(), e);
            }
        }
    }

    /** @param segmentEnds whether it has to be whole up to this moment, even if nothing happened */
    private ChainState ship(ChainWriter chain, ChainState from, boolean segmentEnds)
            throws BlobException, DamagedException, IOException, FencedException, RocksDBException,
                    PartitionedStore.ClosedStore {
        ChainState state = from;
        while (true) {
            long now = clock.millis();
            StoreLog.Tail tail = log.after(state.toSequence(), DELTA_BYTES);
            if (tail instanceof StoreLog.Gap) {
                gaps.inc();
                LOG.warn(
                        "the log no longer holds what was not shipped yet, a snapshot follows after={}",
                        state.toSequence());
                // It is under way where it is that which ships meanwhile.
                return snapshotUnderWay ? state : snapshot(chain, null);
            }
            if (!(tail instanceof StoreLog.Batches batches)
                    || batches.isIdle() && !segmentEnds && now - state.throughMillis() < IDLE_MILLIS) {
                throughMillis = Math.max(now, state.throughMillis());
                return state;
            }
            keys.bring(repository.store(), chain.writer());
            state = chain.publishDelta(BlobSource.of(batches.delta()), batches.toSequence(), now);
            throughMillis = state.throughMillis();
            deltaMillis = now;
            deltas.inc();
            bytes.inc(batches.delta().length);
        }
    }

    /** How far the repository is, milliseconds since the epoch; 0 when that is not known yet. */
    long throughMillis() {
        return throughMillis;
    }

    /** When a delta was shipped last; 0 when none was. */
    long deltaMillis() {
        return deltaMillis;
    }

    /** Whether the repository was the newest when it was reached; empty before. */
    String freshness() {
        return freshness;
    }
}
