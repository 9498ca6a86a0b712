package dev.terrace.tier.backup;

import dev.terrace.tier.backup.repo.DeltaFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.TransactionLogIterator;
import org.rocksdb.WriteBatch;

/** Reads RocksDB's own log as deltas. For one thread. */
final class StoreLog {
    private final PartitionedStore store;
    private boolean isIdle;

    StoreLog(PartitionedStore store) {
        this.store = store;
    }

    /** What the log has. */
    sealed interface Tail {}

    /** Nothing new. */
    record Nothing() implements Tail {}

    /** What was asked for is not in the log any more. */
    record Gap() implements Tail {}

    /**
     * Batches.
     *
     * @param isIdle whether nothing in them belongs to a backup: tries whether writing works, hints
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Batches(byte[] delta, long toSequence, boolean isIdle) implements Tail {}

    /** What was committed after {@code sequence}; about {@code mostBytes} of it, at least one batch. */
    Tail after(long sequence, int mostBytes) throws RocksDBException, PartitionedStore.ClosedStore, IOException {
        isIdle = true;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DeltaFormat.Encoder encoder = new DeltaFormat.Encoder(out);
        try {
            long to = store.use(database -> read(database, sequence, mostBytes, encoder, out));
            if (to < 0) {
                return new Gap();
            }
            if (to == sequence) {
                return new Nothing();
            }
            encoder.end(to);
            return new Batches(out.toByteArray(), to, isIdle);
        } catch (RocksDBException e) {
            if (isGone(e)) {
                return new Gap();
            }
            throw e;
        }
    }

    private static boolean isGone(RocksDBException e) {
        Status status = e.getStatus();
        return status != null && (status.getCode() == Status.Code.NotFound || status.getCode() == Status.Code.TryAgain);
    }

    /** The last number read, or -1 when the log begins later or cannot be told apart. */
    private long read(
            RocksDB database, long sequence, int mostBytes, DeltaFormat.Encoder encoder, ByteArrayOutputStream out)
            throws RocksDBException, IOException {
        if (database.getLatestSequenceNumber() <= sequence) {
            return sequence;
        }
        Map<Integer, String> families = store.families();
        long to = sequence;
        try (TransactionLogIterator log = database.getUpdatesSince(sequence + 1)) {
            for (; log.isValid() && out.size() < mostBytes; log.next()) {
                TransactionLogIterator.BatchResult result = log.getBatch();
                try (WriteBatch batch = result.writeBatch();
                        Changes changes = new Changes(families)) {
                    long last = result.sequenceNumber() + batch.count() - 1;
                    if (last <= to) {
                        continue; // An empty one, or of what is known.
                    }
                    if (result.sequenceNumber() > to + 1) {
                        return -1;
                    }
                    batch.iterate(changes);
                    if (changes.isUnknown) {
                        return -1; // Of a partition that was dropped since, perhaps; a snapshot has whatever it was.
                    }
                    isIdle &= changes.found.isEmpty();
                    encoder.batch(new DeltaFormat.Batch(
                            result.sequenceNumber(), batch.count(), changes.atMillis, changes.found));
                    to = last;
                }
            }
            log.status();
        }
        return to;
    }

    /** Collects what belongs to the backup. */
    static final class Changes extends WriteBatch.Handler {
        private final Map<Integer, String> families;
        private final List<DeltaFormat.Change> found = new ArrayList<>();
        private long atMillis;
        private boolean isUnknown;

        Changes(Map<Integer, String> families) {
            this.families = families;
        }

        /** In order. */
        List<DeltaFormat.Change> found() {
            return found;
        }

        private void add(int family, byte[] key, byte @Nullable [] value) {
            String name = families.get(family);
            if (name == null) {
                isUnknown = true;
            } else if (!name.isEmpty()) {
                found.add(new DeltaFormat.Change(name, key, value));
            }
        }

        @Override
        public void put(int family, byte[] key, byte[] value) {
            add(family, key, value);
        }

        @Override
        public void delete(int family, byte[] key) {
            add(family, key, null);
        }

        @Override
        public void singleDelete(int family, byte[] key) {
            add(family, key, null);
        }

        @Override
        public void logData(byte[] blob) {
            if (blob.length == Long.BYTES) {
                atMillis = ByteBuffer.wrap(blob).getLong();
            }
        }

        @Override
        public void put(byte[] key, byte[] value) {
            // The default family holds nothing that matters; so below.
        }

        @Override
        public void delete(byte[] key) {}

        @Override
        public void singleDelete(byte[] key) {}

        @Override
        public void merge(int family, byte[] key, byte[] value) {
            throw unknown();
        }

        @Override
        public void merge(byte[] key, byte[] value) {
            throw unknown();
        }

        @Override
        public void deleteRange(int family, byte[] from, byte[] to) {
            throw unknown();
        }

        @Override
        public void deleteRange(byte[] from, byte[] to) {
            throw unknown();
        }

        @Override
        public void putBlobIndex(int family, byte[] key, byte[] value) {
            throw unknown();
        }

        private static IllegalStateException unknown() {
            return new IllegalStateException("the log holds a kind of change that this program never makes");
        }

        @Override
        public void markBeginPrepare() {}

        @Override
        public void markEndPrepare(byte[] xid) {}

        @Override
        public void markNoop(boolean empty) {}

        @Override
        public void markRollback(byte[] xid) {}

        @Override
        public void markCommit(byte[] xid) {}

        @Override
        public void markCommitWithTimestamp(byte[] xid, byte[] timestamp) {}
    }
}
