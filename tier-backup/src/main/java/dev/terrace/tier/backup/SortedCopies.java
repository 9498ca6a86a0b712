package dev.terrace.tier.backup;

import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReaderIterator;

/**
 * Walks through several sorted streams of one folder's records at once, in the order of the hashes: of each hash the copy of the first stream that has
 * one, which is the newest when streams are given so. For one thread.
 */
final class SortedCopies implements AutoCloseable {
    /** Records in the order of their hashes, each hash once. */
    interface Stream extends AutoCloseable {
        /** The next; null at the end. */
        @Nullable
        Stored next() throws RocksDBException, ClosedStore, IOException;

        @Override
        void close();
    }

    private record Head(Stream stream, int order, Stored stored) {}

    private final List<Stream> streams;
    private final PriorityQueue<Head> heads = new PriorityQueue<>(
            Comparator.<Head, byte[]>comparing(head -> head.stored().hash(), Arrays::compareUnsigned)
                    .thenComparingInt(Head::order));

    /** @param newestFirst closed with this */
    SortedCopies(List<Stream> newestFirst) throws RocksDBException, ClosedStore, IOException {
        this.streams = List.copyOf(newestFirst);
        try {
            for (int i = 0; i < streams.size(); i++) {
                add(streams.get(i), i);
            }
        } catch (RocksDBException | ClosedStore | IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void add(Stream stream, int order) throws RocksDBException, ClosedStore, IOException {
        Stored stored = stream.next();
        if (stored != null) {
            heads.add(new Head(stream, order, stored));
        }
    }

    /** The newest copy of the next hash; null at the end. */
    @Nullable
    Stored next() throws RocksDBException, ClosedStore, IOException {
        Head first = heads.poll();
        if (first == null) {
            return null;
        }
        add(first.stream(), first.order());
        for (Head older = heads.peek();
                older != null
                        && Arrays.equals(older.stored().hash(), first.stored().hash());
                older = heads.peek()) {
            heads.remove();
            add(older.stream(), older.order());
        }
        return first.stored();
    }

    @Override
    public void close() {
        streams.forEach(Stream::close);
    }

    /** The records of {@code table}, which must be here, from {@code from} on and before {@code to}. */
    static Stream of(RemoteTable table, byte[] from, byte @Nullable [] to) throws RocksDBException, IOException {
        ReadOptions reading = new ReadOptions().setFillCache(false);
        try {
            return new TableStream(table, table.from(from, reading), reading, to);
        } catch (RocksDBException | IOException | RuntimeException | Error e) {
            reading.close();
            throw e;
        }
    }

    private static final class TableStream implements Stream {
        private final RemoteTable table;
        private final SstFileReaderIterator iterator;
        private final ReadOptions reading;
        private final byte @Nullable [] to;

        TableStream(RemoteTable table, SstFileReaderIterator iterator, ReadOptions reading, byte @Nullable [] to) {
            this.table = table;
            this.iterator = iterator;
            this.reading = reading;
            this.to = to;
        }

        @Override
        public @Nullable Stored next() throws RocksDBException, IOException {
            if (!iterator.isValid()) {
                try {
                    iterator.status();
                } catch (RocksDBException e) {
                    table.failed(e);
                    throw e;
                }
                return null;
            }
            byte[] hash = iterator.key();
            if (to != null && Arrays.compareUnsigned(hash, to) >= 0) {
                return null;
            }
            Stored stored = new Stored(hash, iterator.value());
            iterator.next();
            return stored;
        }

        @Override
        public void close() {
            iterator.close();
            reading.close();
            table.left();
        }
    }

    /** All streams or none. */
    static SortedCopies of(List<RemoteTable> tables, List<Stream> newer, byte[] from, byte @Nullable [] to)
            throws RocksDBException, ClosedStore, IOException {
        List<Stream> streams = new ArrayList<>(newer);
        try {
            for (RemoteTable table : tables) {
                streams.add(of(table, from, to));
            }
        } catch (RocksDBException | IOException | RuntimeException | Error e) {
            streams.forEach(Stream::close);
            throw e;
        }
        return new SortedCopies(streams);
    }
}
