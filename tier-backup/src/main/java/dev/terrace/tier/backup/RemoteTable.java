package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException;
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
 * A table file of a snapshot, in the repository or here already. It is read only when it is here as a whole and is what was signed. Thread-safe;
 * close it when nobody walks through it.
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
                arrival = new CompletableFuture<>();
            }
        }
        told.complete(why.isEmpty());
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

    /** The record under {@code hash}, or null. Only when it is here. */
    synchronized byte @Nullable [] find(byte[] hash) throws RocksDBException, PartitionedStore.ClosedStore {
        if (closed) {
            throw new PartitionedStore.ClosedStore();
        }
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

    /** Walks through it from {@code from} on; for one thread, and closed by it. Only when it is here. */
    synchronized SstFileReaderIterator from(byte[] from, ReadOptions reading) throws RocksDBException {
        SstFileReaderIterator iterator = reader().newIterator(reading);
        iterator.seek(from);
        return iterator;
    }

    @Override
    public synchronized void close() {
        closed = true;
        SstFileReader open = reader;
        if (open != null) {
            open.close();
            reader = null;
        }
    }
}
