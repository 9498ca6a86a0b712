package dev.terrace.tier.backup;

import dev.terrace.config.JournalSettings;
import dev.terrace.config.JournalSettings.Sync;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal;
import dev.terrace.tier.backup.JournalStore.Family;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal on RocksDB. One thread takes steps in their order, many in one batch of the log, which is synced as the settings say. The
 * queue before it is as long as what waits for the origin, which is bounded elsewhere. A batch that fails has not taken effect.
 */
final class RocksJournal implements WriteJournal {
    private static final Logger LOG = LoggerFactory.getLogger(RocksJournal.class);
    private static final int BATCH = 512;
    private static final long MARK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final JournalSettings settings;
    private final Folder folder;
    private final JournalStore store;
    private final JournalRecords records;
    private final HighWater highWater;
    private final StorageHealth health;
    private final Contents contents;
    private final BatchThread<Task> thread;

    /** Versions that wait on disk, by name. The thread's own. */
    private final Map<ByteBuffer, Version> waiting = new HashMap<>();

    private long markedNanos = System.nanoTime();
    private long syncedNanos = System.nanoTime();
    private boolean unsynced;
    private boolean released;

    private record Task(List<Step> steps, CompletableFuture<Outcome> outcome) {}

    RocksJournal(
            JournalSettings settings,
            Folder folder,
            JournalStore store,
            JournalRecords records,
            HighWater highWater,
            Contents contents) {
        this.settings = settings;
        this.folder = folder;
        this.store = store;
        this.records = records;
        this.highWater = highWater;
        this.health = new StorageHealth(folder.path());
        this.contents = contents;
        contents.waiting()
                .forEach(wait -> waiting.put(
                        ByteBuffer.wrap(records.name(wait.key())), wait.entry().version()));
        this.thread = new BatchThread<>("terrace-journal", new LinkedBlockingQueue<>(), new Writing());
    }

    /** Starts the thread; apart, so that it sees a finished object. */
    RocksJournal start() {
        thread.start();
        return this;
    }

    @Override
    public Contents load() {
        return contents;
    }

    @Override
    public CompletionStage<Outcome> take(List<Step> steps) {
        for (Step step : steps) {
            if (step instanceof Wait wait && Envelope.length(wait.entry()) > Records.MAX_ENVELOPE_BYTES) {
                return CompletableFuture.completedFuture(Outcome.FAILED);
            }
        }
        Task task = new Task(List.copyOf(steps), new CompletableFuture<>());
        return thread.offer(task) ? task.outcome : CompletableFuture.completedFuture(Outcome.CLOSED);
    }

    @Override
    public @Nullable String trouble() {
        return health.detail();
    }

    /** What the thread does. */
    private final class Writing implements BatchThread.Work<Task> {
        /** What waits goes together; in groups more is waited for, for a while. */
        @Override
        public void gather(BlockingQueue<Task> queue, List<Task> batch) throws InterruptedException {
            queue.drainTo(batch, BATCH - 1);
            long deadline = System.nanoTime() + settings.syncDelay().toNanos();
            while (settings.sync() == Sync.GROUP && batch.size() < BATCH && !thread.isClosed()) {
                Task next = queue.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (next == null) {
                    return;
                }
                batch.add(next);
            }
        }

        @Override
        public void run(List<Task> batch) {
            write(batch);
        }

        @Override
        public void between(boolean closing) {
            syncInBackground(closing);
        }

        @Override
        public long idleMillis() {
            return unsynced ? Math.min(100, settings.syncDelay().toMillis()) : 100;
        }
    }

    private void write(List<Task> batch) {
        Map<ByteBuffer, @Nullable Version> changed = new HashMap<>();
        Outcome outcome = Outcome.FAILED;
        if (health.refusal() == null) {
            try (JournalStore.Changes changes = store.changes()) {
                for (Task task : batch) {
                    for (Step step : task.steps) {
                        add(changes, changed, step);
                    }
                }
                changes.write(settings.sync() != Sync.BACKGROUND);
                unsynced = settings.sync() == Sync.BACKGROUND;
                health.worked();
                outcome = Outcome.KEPT;
            } catch (RocksDBException e) {
                health.failed(e);
            } catch (RuntimeException | Error e) {
                LOG.error("journal met a bug steps={}", batch.size(), e);
            }
        }
        if (outcome == Outcome.KEPT) {
            changed.forEach((name, version) -> {
                if (version == null) {
                    waiting.remove(name);
                } else {
                    waiting.put(name, version);
                }
            });
        }
        for (Task task : batch) {
            task.outcome.complete(outcome);
        }
        mark();
    }

    private void add(JournalStore.Changes changes, Map<ByteBuffer, @Nullable Version> changed, Step step)
            throws RocksDBException {
        byte[] name = records.name(step.key());
        if (step instanceof Wait wait) {
            changes.put(Family.WAITING, name, records.seal(wait));
            changed.put(ByteBuffer.wrap(name), wait.entry().version());
        } else if (step instanceof Done done) {
            done(changes, changed, name, done.version());
        } else if (step instanceof Bury bury) {
            Version version = bury.dead().entry().version();
            done(changes, changed, name, version);
            changes.put(Family.DEAD, records.name(bury.key(), version), records.seal(bury.dead()));
        } else if (step instanceof Forget forget) {
            changes.delete(Family.DEAD, records.name(forget.key(), forget.version()));
        }
    }

    private void done(
            JournalStore.Changes changes, Map<ByteBuffer, @Nullable Version> changed, byte[] name, Version version)
            throws RocksDBException {
        ByteBuffer key = ByteBuffer.wrap(name);
        Version held = changed.containsKey(key) ? changed.get(key) : waiting.get(key);
        if (version.equals(held)) {
            changes.delete(Family.WAITING, name);
            changed.put(key, null);
        }
    }

    private void syncInBackground(boolean now) {
        long nanos = System.nanoTime();
        if (!unsynced || health.detail() != null) {
            return;
        }
        if (now || nanos - syncedNanos >= settings.syncDelay().toNanos()) {
            syncedNanos = nanos;
            try {
                store.sync();
                unsynced = false;
            } catch (RocksDBException e) {
                health.syncFailed(e);
            }
        }
    }

    /** Remembers how far the log goes, so that losses can be counted; only of what is on disk. */
    private void mark() {
        long nanos = System.nanoTime();
        if (unsynced || health.detail() != null || nanos - markedNanos < MARK_NANOS) {
            return;
        }
        markedNanos = nanos;
        try {
            highWater.write(store.sequence());
        } catch (IOException e) {
            LOG.warn("journal cannot write its high-water mark", e);
        }
    }

    @Override
    public synchronized void close() {
        thread.close().forEach(task -> task.outcome.complete(Outcome.CLOSED));
        if (!thread.hasEnded()) {
            LOG.error("journal did not end, its folder stays locked folder={}", folder.path());
            return;
        }
        if (!released) {
            released = true;
            store.close();
            folder.close();
        }
    }
}
