package dev.terrace.tier.backup;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.Sides.Side;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DeltaFormat;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;

/**
 * What a {@link RemoteFolder} holds beside its table files of entries, as far as it has come: the changes after the snapshot, and the dictionaries that any record
 * may need. The newest change comes before older ones, so that what was written last is answered first. It lies on the disk, and is of one plan. One thread
 * brings it; all else is thread-safe.
 */
final class RemoteChanges implements AutoCloseable {
    private static final int DELTAS_AHEAD = 3;
    private static final int SIDE_BATCH = 1_000;
    private static final String CHANGES = "changes";
    private static final int ID_LENGTH = 16;
    /** Of a batch in a log of RocksDB: its sequence number and its count stand before its changes. */
    private static final int BATCH_HEADER = 12;

    private final RestorePlan plan;
    private final BackupStorageSettings settings;
    private final InstantSource clock;
    private final Path folder;
    private final Path database;
    private final Download download;
    private final Fetcher fetcher;
    private final @Nullable KeyRing ring;
    private final Runnable progress;
    private volatile @Nullable Opened opened;
    /** All changes with at least this number are here. */
    private volatile long changesFrom = Long.MAX_VALUE;

    private volatile boolean whole;

    /** What records are read with; replaced when dictionaries come in. */
    record Opened(ChangeStore changes, Options reading, Dictionaries dictionaries, Records records) {}

    /**
     * What is here at a moment.
     *
     * @param isWhole whether all changes are
     * @param from whether, of the others, those with at least this number are
     */
    record Here(boolean isWhole, long from, Opened opened) {
        /** The record of the newest change of a key; null when there is none, or it is not known to be the newest. */
        byte @Nullable [] newest(byte[] hash) throws RocksDBException, ClosedStore, ChangeStore.SpoiltException {
            ChangeStore.Change change = opened.changes().newest(hash);
            return change != null && (isWhole || change.sequence() >= from) ? change.record() : null;
        }

        /** Whether it is certain that nothing of this key was to outlive its partition, neither in the snapshot nor after it. */
        boolean isNotKept(byte[] hash) throws RocksDBException, ClosedStore, ChangeStore.SpoiltException {
            return isWhole && newest(hash) == null && opened.changes().isNotKept(hash);
        }

        Records records() {
            return opened.records();
        }
    }

    /**
     * Reads nothing yet.
     *
     * @param folder where it finds and leaves what has come
     * @param progress told when there is more to know
     */
    RemoteChanges(
            RestorePlan plan,
            BackupStorageSettings settings,
            InstantSource clock,
            Path folder,
            Download download,
            Fetcher fetcher,
            @Nullable KeyRing ring,
            Runnable progress) {
        this.plan = plan;
        this.settings = settings;
        this.clock = clock;
        this.folder = folder;
        byte[] text = plan.text().getBytes(StandardCharsets.US_ASCII);
        this.database = folder.resolve(CHANGES + "-" + Sha256.of(text).substring(0, ID_LENGTH));
        this.download = download;
        this.fetcher = fetcher;
        this.ring = ring;
        this.progress = progress;
    }

    /** What is here now; null before it was opened. */
    @Nullable
    Here here() {
        // In this order: a change that comes after the number was read must not make an older one count.
        boolean all = whole;
        long from = changesFrom;
        Opened open = opened;
        return open == null ? null : new Here(all, from, open);
    }

    /** Whether all of it is here. */
    boolean isWhole() {
        return whole;
    }

    /** Whether what was brought here cannot be read any more. */
    boolean isSpoilt() {
        Opened open = opened;
        return open != null && open.changes().isSpoilt();
    }

    /** Opens what came before, or begins. Returns what table files are read with. */
    Options open() throws IOException, RocksDBException, ClosedStore {
        Opened known = opened;
        return known == null ? openAnew().reading() : known.reading();
    }

    private Opened openAnew() throws IOException, RocksDBException, ClosedStore {
        Files.createDirectories(folder);
        try (Stream<Path> children = Files.list(folder)) {
            // A change that came after an older snapshot is older than what a newer one holds, and says nothing beside
            // it.
            for (Path child : children.toList()) {
                if (String.valueOf(child.getFileName()).startsWith(CHANGES) && !child.equals(database)) {
                    Folders.delete(child);
                }
            }
        }
        ChangeStore changes = ChangeStore.open(database, settings.retention().toMillis(), clock.millis());
        Options reading = null;
        try {
            reading = new Options(
                    changes.options().database(WALRecoveryMode.AbsoluteConsistency, false),
                    changes.options().family());
            return withDictionaries(changes, reading);
        } catch (RocksDBException | ClosedStore | RuntimeException | Error e) {
            if (reading != null) {
                reading.close();
            }
            changes.close();
            throw e;
        }
    }

    private Opened withDictionaries(ChangeStore changes, Options reading) throws RocksDBException, ClosedStore {
        Opened before = opened;
        Dictionaries dictionaries = new Dictionaries(
                cache -> false, changes.store(), ring, CacheWatch.Limits.USUAL, clock, new MetricRegistry());
        try {
            dictionaries.load();
        } catch (RocksDBException | ClosedStore | RuntimeException | Error e) {
            dictionaries.close();
            throw e;
        }
        Opened next = new Opened(changes, reading, dictionaries, Records.reading(dictionaries, ring));
        opened = next;
        if (before != null) {
            before.dictionaries().close();
        }
        return next;
    }

    /** Brings all of it here. Can be called again after it has failed; goes on where it was. */
    void bring(TableRanges ranges, Path files) throws BlobException, IOException, RocksDBException, ClosedStore {
        Opened open = bringSides(ranges, files, opened());
        bringDeltas(open);
        bringLogs(ranges, files);
        whole = true;
    }

    /** Files of the families that any record may need, or any answer. */
    private Opened bringSides(TableRanges ranges, Path files, Opened open)
            throws BlobException, IOException, RocksDBException, ClosedStore {
        boolean more = false;
        for (FileRef file : plan.files()) {
            TableRanges.Table table = file.file().endsWith(".sst") ? ranges.of(file.file()) : null;
            boolean areDictionaries = table != null && table.family().equals(Side.DICTIONARIES.familyName());
            boolean areKept = table != null && table.family().equals(Side.KEPT.familyName());
            if (table != null
                    && (areDictionaries || areKept)
                    && !open.changes().has(file.blob().sha256())) {
                Path path = files.resolve(file.file());
                download.file(file.blob(), path);
                try (RemoteTable here = RemoteTable.here(file, table, path, download, open.reading());
                        SortedCopies.Stream all = SortedCopies.of(here, new byte[0], null)) {
                    List<Stored> some = new ArrayList<>();
                    for (Stored one = all.next(); one != null; one = all.next()) {
                        some.add(one);
                        if (some.size() == SIDE_BATCH) {
                            take(open, some, areKept);
                            some.clear();
                        }
                    }
                    take(open, some, areKept);
                }
                open.changes().new Bringing().end(file.blob().sha256());
                more |= areDictionaries;
            }
        }
        return more ? withDictionaries(open.changes(), open.reading()) : open;
    }

    private static void take(Opened open, List<Stored> some, boolean areKept) throws RocksDBException, ClosedStore {
        if (areKept) {
            open.changes().takeKept(some);
        } else {
            open.changes().takeDictionaries(some);
        }
    }

    /** The oldest first, because dictionaries are trained early; then from the newest downwards. */
    private void bringDeltas(Opened open) throws BlobException, IOException, RocksDBException, ClosedStore {
        List<DeltaRef> deltas = plan.deltas();
        requireAll(deltas);
        List<DeltaRef> order = new ArrayList<>();
        if (!deltas.isEmpty()) {
            order.add(deltas.get(0));
        }
        for (int i = deltas.size() - 1; i > 0; i--) {
            order.add(deltas.get(i));
        }
        Deque<CompletableFuture<byte[]>> ahead = new ArrayDeque<>();
        List<DeltaRef> missing = new ArrayList<>();
        for (DeltaRef delta : order) {
            if (!open.changes().has(delta.blob().sha256())) {
                missing.add(delta);
            }
        }
        int next = 0;
        int brought = 0;
        boolean isWhole = true;
        Exception failure = null;
        for (DeltaRef delta : order) {
            boolean isHere = true;
            if (brought < missing.size() && missing.get(brought).equals(delta)) {
                while (next < missing.size() && ahead.size() < DELTAS_AHEAD) {
                    ahead.add(fetched(missing.get(next++).blob()));
                }
                brought++;
                try {
                    apply(delta, await(ahead.remove()));
                } catch (BlobException | IOException e) {
                    // What is newer can be answered all the same.
                    failure = failure == null ? e : failure;
                    isHere = false;
                }
            }
            if (deltas.size() == 1 || !delta.equals(deltas.get(0))) {
                isWhole &= isHere;
                changesFrom = isWhole ? Math.min(changesFrom, delta.fromSequence()) : changesFrom;
            }
            progress.run();
            if (Thread.currentThread().isInterrupted()) {
                // Those that are left are not here, whatever became of those before them.
                throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", null);
            }
        }
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }

    private CompletableFuture<byte[]> fetched(BlobRef blob) {
        CompletableFuture<byte[]> bytes = new CompletableFuture<>();
        fetcher.execute(Fetcher.Urgency.FIRST, () -> {
            try {
                bytes.complete(download.bytes(blob));
            } catch (BlobException | IOException | RuntimeException | Error e) {
                bytes.completeExceptionally(e);
            }
        });
        return bytes;
    }

    /** Each call of the store has a bound of its own. */
    private static byte[] await(CompletableFuture<byte[]> bytes) throws BlobException, IOException {
        try {
            return bytes.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BlobException failed) {
                throw failed;
            }
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            throw new IllegalStateException("a delta could not be fetched", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", e);
        }
    }

    private void requireAll(List<DeltaRef> deltas) throws IOException {
        long reached = plan.sequence();
        for (DeltaRef delta : deltas) {
            if (delta.fromSequence() > reached + 1) {
                throw new IOException("of writer " + plan.writer() + " the changes " + (reached + 1) + " to "
                        + (delta.fromSequence() - 1) + " are missing");
            }
            reached = Math.max(reached, delta.toSequence());
        }
    }

    private void apply(DeltaRef delta, byte[] plain) throws IOException, RocksDBException, ClosedStore {
        Opened open = opened();
        ChangeStore.Bringing bringing = open.changes().new Bringing();
        long[] reached = {delta.fromSequence() - 1};
        DeltaFormat.read(new ByteArrayInputStream(plain), plain.length, batch -> {
            try {
                bringing.add(batch.sequence(), batch.changes());
            } catch (RocksDBException | ClosedStore e) {
                throw new IOException("changes cannot be written: " + e.getMessage(), e);
            }
            reached[0] = batch.sequence() + batch.span() - 1;
            return true;
        });
        if (reached[0] < delta.toSequence()) {
            throw new IOException(delta.blob().name() + " ends before it says it does");
        }
        if (bringing.end(delta.blob().sha256())) {
            withDictionaries(open.changes(), open.reading());
        }
    }

    /** For who knows that it is. */
    Opened opened() {
        Opened open = opened;
        if (open == null) {
            throw new IllegalStateException("not opened yet");
        }
        return open;
    }

    /** What was committed while the snapshot was taken stands in its log only. */
    private void bringLogs(TableRanges ranges, Path files)
            throws BlobException, IOException, RocksDBException, ClosedStore {
        for (FileRef file : plan.files()) {
            Opened open = opened();
            if (file.file().endsWith(".log") && !open.changes().has(file.blob().sha256())) {
                Path path = files.resolve(file.file());
                download.file(file.blob(), path);
                ChangeStore.Bringing bringing = open.changes().new Bringing();
                LogRecords.read(path, record -> {
                    if (record.length < BATCH_HEADER) {
                        throw new IOException(file.blob().name() + " holds a batch that cannot be");
                    }
                    long sequence = ByteBuffer.wrap(record)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong();
                    try (WriteBatch batch = new WriteBatch(record);
                            StoreLog.Changes changes = new StoreLog.Changes(ranges.families())) {
                        batch.iterate(changes);
                        bringing.add(sequence, changes.found());
                    } catch (RocksDBException | ClosedStore e) {
                        throw new IOException("changes cannot be taken out of a log: " + e.getMessage(), e);
                    }
                });
                if (bringing.end(file.blob().sha256())) {
                    withDictionaries(open.changes(), open.reading());
                }
            }
        }
    }

    /** Removes it from the disk; after it was closed. */
    void delete() throws IOException {
        Folders.delete(database);
    }

    /** When nobody reads it any more. */
    @Override
    public void close() {
        Opened open = opened;
        if (open != null) {
            open.dictionaries().close();
            open.reading().close();
            open.changes().close();
        }
    }
}
