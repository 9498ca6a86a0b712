package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DeltaFormat;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Builds the folder of one writer from its plan: the snapshot's files as they are, then the changes after it. Every byte is compared
 * with what was signed. Killed anywhere and run again, it goes on with the files that are whole. For one thread.
 */
final class PartRestore {
    private static final String HINTS = "hints";
    /** Files that are brought to the disk at a time, beside downloads. */
    private static final int SYNCS = 2;
    /** Of deltas that wait to be applied; one more is under way. */
    private static final long BYTES_AHEAD = 16L << 20;

    private final RestorePlan plan;
    private final Path database;
    private final Unsealing unsealing;
    private final Download download;
    private final ExecutorService pool;

    /** @param pool on which files and deltas are downloaded */
    PartRestore(RestorePlan plan, Path folder, Unsealing unsealing, Download download, ExecutorService pool) {
        this.plan = plan;
        this.database = folder.resolve(Folder.DATABASE);
        this.unsealing = unsealing;
        this.download = download;
        this.pool = pool;
    }

    /** Returns how many batches were applied. */
    long run() throws BlobException, IOException, RocksDBException {
        Files.createDirectories(database);
        // What an earlier try's RocksDB made of the files, from its first touch on, is not what was stored.
        plan.removeOthers(database);
        downloadFiles();
        unsealing.forget();
        return apply();
    }

    /** On the disk when this returns. */
    private void downloadFiles() throws BlobException, IOException {
        List<FileRef> longestFirst = new ArrayList<>(plan.files());
        longestFirst.sort(
                Comparator.comparingLong((FileRef file) -> file.blob().bytes()).reversed());
        ExecutorService disk = Executors.newFixedThreadPool(SYNCS, task -> {
            Thread thread = new Thread(task, "terrace-l3-sync");
            thread.setDaemon(true);
            return thread;
        });
        List<Future<Future<?>>> all = new ArrayList<>();
        try {
            for (FileRef file : longestFirst) {
                Path target = database.resolve(file.file());
                all.add(pool.submit(() -> {
                    download.unsynced(file.blob(), target);
                    return sync(disk, target);
                }));
            }
            List<Future<?>> syncs = new ArrayList<>();
            for (Future<Future<?>> one : all) {
                syncs.add(await(one));
            }
            for (Future<?> one : syncs) {
                await(one);
            }
            Synced.folder(database);
        } finally {
            all.forEach(one -> one.cancel(true)); // Of those that are left when one has failed.
            disk.shutdownNow();
        }
    }

    /** The next download does not wait for the disk. */
    private static Future<?> sync(ExecutorService disk, Path file) {
        return disk.submit(() -> {
            Synced.file(file);
            return null;
        });
    }

    /** What a download came to; each of its waits has a bound of its own. */
    private static <T> T await(Future<T> one) throws BlobException, IOException {
        try {
            return one.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BlobException failed) {
                throw failed;
            }
            if (e.getCause() instanceof SetupException failed) {
                throw failed;
            }
            if (e.getCause() instanceof IOException disk) {
                throw disk;
            }
            throw new IllegalStateException("a blob could not be restored", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", e);
        }
    }

    private long apply() throws BlobException, IOException, RocksDBException {
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try (NativeOptions options = new NativeOptions();
                WriteOptions quick = new WriteOptions().setDisableWAL(true)) {
            List<ColumnFamilyDescriptor> families = options.families(database);
            try (RocksDB opened = RocksDB.open(
                    options.database(WALRecoveryMode.TolerateCorruptedTailRecords, false),
                    database.toString(),
                    families,
                    handles)) {
                Map<String, ColumnFamilyHandle> byName = new HashMap<>();
                for (ColumnFamilyHandle handle : handles) {
                    byName.put(new String(handle.getName(), StandardCharsets.UTF_8), handle);
                }
                Applied applied = new Applied(opened, options, byName, handles, quick);
                applyAll(applied);
                ColumnFamilyHandle hints = byName.get(HINTS);
                if (hints != null) {
                    opened.dropColumnFamily(hints); // What zones have missed since is another story.
                }
                try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
                    opened.flush(
                            waiting,
                            handles.stream()
                                    .filter(handle -> hints == null || handle.getID() != hints.getID())
                                    .toList());
                }
                handles.forEach(ColumnFamilyHandle::close);
                return applied.batches;
            }
        }
    }

    /** Downloads ahead of what is applied. */
    private void applyAll(Applied applied) throws BlobException, IOException {
        Deque<Future<byte[]>> ahead = new ArrayDeque<>();
        long bytesAhead = 0;
        int next = 0;
        try {
            for (DeltaRef delta : plan.deltas()) {
                while (next < plan.deltas().size() && (ahead.isEmpty() || bytesAhead < BYTES_AHEAD)) {
                    BlobRef blob = plan.deltas().get(next++).blob();
                    ahead.add(pool.submit(() -> download.bytes(blob)));
                    bytesAhead += blob.bytes();
                }
                byte[] all = await(ahead.remove());
                bytesAhead -= delta.blob().bytes();
                applied.apply(delta, all);
                if (applied.isDone) {
                    return;
                }
            }
        } finally {
            ahead.forEach(one -> one.cancel(true));
        }
    }

    /** Changes after the snapshot, in order, up to the moment that was asked for. */
    private final class Applied {
        private final RocksDB opened;
        private final NativeOptions options;
        private final Map<String, ColumnFamilyHandle> byName;
        private final List<ColumnFamilyHandle> handles;
        private final WriteOptions quick;
        private long sequence = plan.sequence();
        private long batches;
        private boolean isDone;

        Applied(
                RocksDB opened,
                NativeOptions options,
                Map<String, ColumnFamilyHandle> byName,
                List<ColumnFamilyHandle> handles,
                WriteOptions quick) {
            this.opened = opened;
            this.options = options;
            this.byName = byName;
            this.handles = handles;
            this.quick = quick;
        }

        void apply(DeltaRef delta, byte[] plain) throws IOException {
            DeltaFormat.read(new ByteArrayInputStream(plain), plain.length, this::apply);
            if (!isDone && sequence < delta.toSequence()) {
                throw new IOException(delta.blob().name() + " ends before it says it does");
            }
        }

        private boolean apply(DeltaFormat.Batch batch) throws IOException {
            long last = batch.sequence() + batch.span() - 1;
            if (last <= sequence) {
                return true;
            }
            if (batch.sequence() > sequence + 1) {
                throw new IOException("changes " + (sequence + 1) + " to " + (batch.sequence() - 1) + " are missing");
            }
            if (plan.asOf() != null && batch.atMillis() > plan.asOf().toEpochMilli()) {
                isDone = true;
                return false;
            }
            try (WriteBatch changes = new WriteBatch()) {
                for (DeltaFormat.Change change : batch.changes()) {
                    byte[] value = change.value();
                    if (value == null) {
                        changes.delete(family(change.family()), change.key());
                    } else {
                        changes.put(family(change.family()), change.key(), value);
                    }
                }
                opened.write(quick, changes);
            } catch (RocksDBException e) {
                throw new IOException("changes cannot be written: " + e.getMessage(), e);
            }
            sequence = last;
            batches++;
            return true;
        }

        private ColumnFamilyHandle family(String name) throws RocksDBException {
            ColumnFamilyHandle known = byName.get(name);
            if (known == null) {
                known = opened.createColumnFamily(
                        new ColumnFamilyDescriptor(name.getBytes(StandardCharsets.UTF_8), options.family()));
                byName.put(name, known);
                handles.add(known);
            }
            return known;
        }
    }
}
