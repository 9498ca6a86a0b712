package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.RemoteFolder.NotHereException;
import dev.terrace.tier.backup.repo.FileRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.SstFileReaderIterator;

/**
 * A table file of a snapshot, in the repository or here already. It is read only when it is here as a whole and is what was signed. One that cannot be read is
 * compared once more with what was signed, and fetched again when it is something else by now. Thread-safe; what somebody still walks through when it is closed
 * goes with the last of them.
 */
final class RemoteTable implements AutoCloseable {
    private static final long SOONEST_MILLIS = 500;
    private static final long RAREST_MILLIS = 30_000;

    private final FileRef file;
    private final TableRanges.Table table;
    private final Path path;
    private final Download download;
    private final Options options;
    private final Partition.Age age;
    private CompletableFuture<Boolean> arrival = new CompletableFuture<>();
    private @Nullable SstFileReader reader;
    /** What could not be read, when somebody may still walk through it. */
    private @Nullable SstFileReader doubtful;

    private boolean isDoubted;
    private int walkers;
    private Fetcher.@Nullable Urgency asked;
    private boolean isUnderWay;
    private boolean isHere;
    private boolean closed;
    private String trouble = "";
    private long pauseMillis = SOONEST_MILLIS;
    private long retryNanos = System.nanoTime();

    RemoteTable(
            FileRef file, TableRanges.Table table, Partition.Age age, Path path, Download download, Options options) {
        this.file = file;
        this.table = table;
        this.age = age;
        this.path = path;
        this.download = download;
        this.options = options;
    }

    /** One that was brought here by whoever reads it. */
    static RemoteTable here(FileRef file, TableRanges.Table table, Path path, Download download, Options options) {
        RemoteTable here = new RemoteTable(file, table, new Partition.Age(0, 0), path, download, options);
        here.ended("");
        return here;
    }

    /** Newer partitions first, and in each what is nearer to the top of RocksDB's tree: the first that has a key has its newest copy. */
    static int newestFirst(RemoteTable one, RemoteTable other) {
        int byPartition = Long.compare(other.age.sequence(), one.age.sequence());
        int byLevel = Integer.compare(one.table.level(), other.table.level());
        return byPartition != 0
                ? byPartition
                : byLevel != 0 ? byLevel : Long.compare(other.table.newest(), one.table.newest());
    }

    TableRanges.Table table() {
        return table;
    }

    boolean covers(byte[] hash) {
        return table.covers(hash);
    }

    /** Whether it may hold something from {@code from} on and before {@code to}; null for no end. */
    boolean overlaps(byte[] from, byte @Nullable [] to) {
        return Arrays.compareUnsigned(table.last(), from) >= 0
                && (to == null || Arrays.compareUnsigned(table.first(), to) < 0);
    }

    /** Has it fetched, if it is not here and the last failure was long enough ago; sooner when somebody waits for it. */
    synchronized void ask(Fetcher fetcher, Fetcher.Urgency urgency) {
        if (isHere || closed || !troubleNow().isEmpty() || asked != null && asked.compareTo(urgency) <= 0) {
            return;
        }
        asked = urgency;
        fetcher.execute(urgency, this::fetch);
    }

    private synchronized boolean begin() {
        if (isHere || isUnderWay || closed) {
            return false;
        }
        isUnderWay = true;
        return true;
    }

    private void fetch() {
        if (!begin()) {
            return;
        }
        String why = "";
        try {
            download.file(file.blob(), path);
        } catch (BlobException | IOException | SetupException e) {
            why = file.blob().name() + ": " + e.getMessage();
        } catch (RuntimeException | Error e) {
            ended(file.blob().name() + ": " + e);
            throw e;
        }
        ended(why);
    }

    private void ended(String why) {
        CompletableFuture<Boolean> told;
        synchronized (this) {
            isUnderWay = false;
            isHere = why.isEmpty();
            trouble = why;
            asked = null;
            told = arrival;
            if (!isHere) {
                retryNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(pauseMillis);
                pauseMillis = Math.min(RAREST_MILLIS, 2 * pauseMillis);
                arrival = closed ? CompletableFuture.completedFuture(false) : new CompletableFuture<>();
            }
        }
        told.complete(why.isEmpty());
    }

    /** Whether something still writes to its file. */
    synchronized boolean isUnderWay() {
        return isUnderWay;
    }

    synchronized boolean isHere() {
        return isHere;
    }

    /** Why it is not here, as long as it is not tried again; empty when it may come. */
    synchronized String troubleNow() {
        return System.nanoTime() - retryNanos < 0 ? trouble : "";
    }

    /** Why the last try failed; empty when it is here, or was not tried. */
    synchronized String trouble() {
        return trouble;
    }

    /** Completes when the try that is under way, or the next one, has ended. */
    synchronized CompletableFuture<Boolean> arrival() {
        return arrival;
    }

    private SstFileReader reader() throws RocksDBException {
        SstFileReader open = reader;
        if (open == null) {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            open = new SstFileReader(options);
            try {
                open.open(path.toString());
            } catch (RocksDBException e) {
                open.close();
                throw e;
            }
            reader = open;
        }
        return open;
    }

    /**
     * What could not be read may be here no more as it was signed, on a disk that decays; that is found out once. When it still is, it was stored so, and the failure
     * stands.
     *
     * @throws NotHereException when it is being found out
     */
    synchronized void failed(RocksDBException e) throws NotHereException {
        if (!isHere || Opening.isCorruption(e) && !isDoubted) {
            if (isHere) {
                isDoubted = true;
                isHere = false;
                doubtful = reader;
                reader = null;
                arrival = new CompletableFuture<>();
            }
            throw new NotHereException(file.blob().name() + " is compared once more: " + e.getMessage());
        }
    }

    /**
     * The record under {@code hash}, or null.
     *
     * @throws NotHereException when it is not here, or not any more
     */
    synchronized byte @Nullable [] find(byte[] hash)
            throws RocksDBException, PartitionedStore.ClosedStore, NotHereException {
        if (closed) {
            throw new PartitionedStore.ClosedStore();
        }
        requireHere();
        try {
            return read(hash);
        } catch (RocksDBException e) {
            failed(e);
            throw e;
        }
    }

    private void requireHere() throws NotHereException {
        if (!isHere) {
            throw new NotHereException(trouble.isEmpty() ? file.blob().name() + " is on its way" : trouble);
        }
    }

    private byte @Nullable [] read(byte[] hash) throws RocksDBException {
        try (ReadOptions reading = new ReadOptions();
                SstFileReaderIterator iterator = reader().newIterator(reading)) {
            iterator.seek(hash);
            if (iterator.isValid()) {
                return Arrays.equals(iterator.key(), hash) ? iterator.value() : null;
            }
            iterator.status();
            return null;
        }
    }

    /**
     * Walks through it from {@code from} on; for one thread, which closes it and then says that it has {@linkplain #left left}.
     *
     * @throws NotHereException when it is not here, or not any more
     */
    synchronized SstFileReaderIterator from(byte[] from, ReadOptions reading)
            throws RocksDBException, NotHereException {
        requireHere();
        try {
            SstFileReaderIterator iterator = reader().newIterator(reading);
            iterator.seek(from);
            walkers++;
            return iterator;
        } catch (RocksDBException e) {
            failed(e);
            throw e;
        }
    }

    /** Who waits for it is told, and finds that it is closed. */
    @Override
    public void close() {
        CompletableFuture<Boolean> told;
        synchronized (this) {
            closed = true;
            if (walkers == 0) {
                closeReaders();
            }
            told = arrival;
        }
        told.complete(false);
    }

    /** A walker has closed what it walked with. */
    synchronized void left() {
        walkers--;
        if (closed && walkers == 0) {
            closeReaders();
        }
    }

    private void closeReaders() {
        close(reader);
        close(doubtful);
        reader = null;
        doubtful = null;
    }

    private static void close(@Nullable SstFileReader open) {
        if (open != null) {
            open.close();
        }
    }
}
