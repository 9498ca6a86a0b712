package dev.terrace.tier.backup;

import dev.terrace.tier.backup.Sides.Side;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.FlushOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Records by hash in an open RocksDB, in time partitions. New records go into the newest; the newest copy of a hash is
 * the one that counts; a partition older than the retention goes as a whole.
 *
 * <p>Reads are thread-safe. Writing, rotating and dropping belong to one thread. Every call is within a {@link NativeGuard}.
 */
final class PartitionedStore {
    private static final long SLICE_BYTES = 1 << 20;
    private static final byte[] NOTHING = new byte[0];

    /** The database is closed. */
    static final class ClosedStore extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** A record as it lies in RocksDB. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Stored(byte[] hash, byte[] record) {}

    /**
     * Some records of a partition in the order of their hashes.
     *
     * @param next where to go on, or null at the end
     * @param damaged true when unreadable blocks were jumped over
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Slice(List<Stored> records, byte @Nullable [] next, boolean damaged) {}

    /**
     * What is certain without the disk.
     *
     * @param record null when there is none
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record InMemory(byte @Nullable [] record) {}

    private final NativeGuard guard = new NativeGuard();
    private final NativeOptions options;
    private final RocksDB database;
    private final ColumnFamilyHandle defaultFamily;
    private final ReadOptions reading = new ReadOptions();
    private final ReadOptions fromMemory = new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER);
    private final WriteOptions writing = new WriteOptions();
    private final Sides sides;
    private volatile Partitions partitions;

    /** When what is written now is committed; never goes back. */
    private volatile long commitMillis;

    /** See {@link #knownSequence}. */
    private volatile long knownSequence;

    PartitionedStore(NativeOptions options, Opening.Opened opened, long retentionMillis) {
        this(options, opened, retentionMillis, 0);
    }

    /** @param restoredMillis when the folder was restored: what is older is kept as if it were written then; 0 when it was not */
    PartitionedStore(NativeOptions options, Opening.Opened opened, long retentionMillis, long restoredMillis) {
        this.options = options;
        this.database = opened.database();
        this.defaultFamily = opened.handles().get(0);
        this.knownSequence = database.getLatestSequenceNumber();
        this.sides = new Sides(guard, database, options.family(), this::commit);
        List<Partition> found = new ArrayList<>();
        for (ColumnFamilyHandle handle :
                opened.handles().subList(1, opened.handles().size())) {
            try {
                Partition partition = Partition.of(handle.getName(), handle);
                if (partition != null) {
                    found.add(partition);
                }
                sides.know(handle);
            } catch (RocksDBException e) {
                throw new IllegalStateException("an open column family has no name", e);
            }
        }
        this.partitions = new Partitions(found, retentionMillis, restoredMillis);
    }

    /** A new one, without a folder around it. */
    static PartitionedStore create(Path database, NativeOptions options, long retentionMillis)
            throws RocksDBException, IOException {
        Files.createDirectories(database);
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        RocksDB opened = RocksDB.open(
                options.database(WALRecoveryMode.AbsoluteConsistency, true),
                database.toString(),
                List.of(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, options.family())),
                handles);
        return new PartitionedStore(options, new Opening.Opened(opened, handles, false, 0), retentionMillis);
    }

    /** What is no entry. */
    Sides sides() {
        return sides;
    }

    /** The newest copy, or null. Key by key also for many keys: RocksDB's multi-get is no faster from Java, and its lists
     * cannot tell a damaged record from a missing one. */
    byte @Nullable [] get(byte[] hash) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            for (Partition partition : partitions.all()) {
                byte[] record = database.get(partition.handle(), reading, hash);
                if (record != null) {
                    return record;
                }
            }
            return null;
        } finally {
            guard.leave();
        }
    }

    /** What {@link #get} finds, or null when only the disk, or somebody who holds this store, could tell. Waits for neither. */
    @Nullable
    InMemory getFromMemory(byte[] hash) {
        if (!guard.tryEnter()) {
            return null;
        }
        try {
            for (Partition partition : partitions.all()) {
                byte[] record = database.get(partition.handle(), fromMemory, hash);
                if (record != null) {
                    return new InMemory(record);
                }
            }
            return new InMemory(null);
        } catch (RocksDBException elsewhere) {
            // Not all of it is in memory, or something is wrong: a reader finds out which.
            return null;
        } finally {
            guard.leave();
        }
    }

    /** As {@link #get}, but only the beginning of the copy, as much as {@code buffer} takes. Returns its length, or -1. */
    int peek(byte[] hash, byte[] buffer) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            for (Partition partition : partitions.all()) {
                int length = database.get(partition.handle(), reading, hash, buffer);
                if (length != RocksDB.NOT_FOUND) {
                    return Math.min(length, buffer.length);
                }
            }
            return -1;
        } finally {
            guard.leave();
        }
    }

    void write(List<Stored> records) throws RocksDBException, ClosedStore {
        write(records, List.of());
    }

    /** Writes into the newest partition, and notes some hashes as {@link Side#KEPT}; in the operating system's hands when this returns. */
    void write(List<Stored> records, List<byte[]> kept) throws RocksDBException, ClosedStore {
        guard.enter();
        try (WriteBatch batch = new WriteBatch()) {
            if (!kept.isEmpty()) {
                ColumnFamilyHandle family = sides.create(Side.KEPT);
                for (byte[] hash : kept) {
                    batch.put(family, hash, NOTHING);
                }
            }
            ColumnFamilyHandle newest = partitions.newest().handle();
            for (Stored stored : records) {
                batch.put(newest, stored.hash, stored.record);
            }
            commit(batch);
        } finally {
            guard.leave();
        }
    }

    /** Removes copies from one partition. */
    void delete(long sequence, List<byte[]> hashes) throws RocksDBException, ClosedStore {
        guard.enter();
        try (WriteBatch batch = new WriteBatch()) {
            Partition partition = partitions.find(sequence);
            if (partition == null || hashes.isEmpty()) {
                return;
            }
            for (byte[] hash : hashes) {
                batch.delete(partition.handle(), hash);
            }
            commit(batch);
        } finally {
            guard.leave();
        }
    }

    /** Returns when all entries that are written are in files. */
    void flushPartitions() throws RocksDBException, ClosedStore {
        guard.enter();
        try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
            List<ColumnFamilyHandle> handles =
                    partitions.all().stream().map(Partition::handle).toList();
            if (!handles.isEmpty()) {
                database.flush(waiting, handles);
            }
        } finally {
            guard.leave();
        }
    }

    /** Whether files of entries are being merged, or will be soon. */
    boolean isMerging() throws RocksDBException, ClosedStore {
        return sum("rocksdb.num-running-compactions") > 0 || sum("rocksdb.compaction-pending") > 0;
    }

    /** Says in the log, and only there, when this is committed: what is shipped from it can be restored as of any moment. */
    private void commit(WriteBatch batch) throws RocksDBException {
        batch.putLogData(ByteBuffer.allocate(Long.BYTES).putLong(commitMillis).array());
        database.write(writing, batch);
    }

    /** What is done with the database itself. */
    interface Use<T> {
        T with(RocksDB database) throws RocksDBException, IOException;
    }

    /** Does it while nothing is closed; for what does not belong to entries: the log, checkpoints. */
    <T> T use(Use<T> use) throws RocksDBException, IOException, ClosedStore {
        guard.enter();
        try {
            return use.with(database);
        } finally {
            guard.leave();
        }
    }

    /** Column families by the number they have in the log; with an empty name when they do not belong to a backup. */
    Map<Integer, String> families() {
        Map<Integer, String> names = new HashMap<>();
        names.put(defaultFamily.getID(), "");
        sides.byNumber().forEach((id, side) -> names.put(id, side == Side.HINTS ? "" : side.familyName()));
        for (Partition partition : partitions.all()) {
            names.put(
                    partition.handle().getID(),
                    new String(
                            Partition.name(partition.sequence(), partition.startMillis()), StandardCharsets.US_ASCII));
        }
        return names;
    }

    /**
     * How far this process knows the log to go: to where it went when it was opened, or what was {@linkplain #know shipped} of it since. A
     * backup that is ahead of that holds what the log has lost, and numbers after it stand for other changes now.
     */
    long knownSequence() {
        return knownSequence;
    }

    /** This was read from the log. By one thread. */
    void know(long sequence) {
        knownSequence = Math.max(knownSequence, sequence);
    }

    /** Writes something that means nothing, to learn whether writing works. Returns whether it can be read. */
    boolean probe() throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            database.put(defaultFamily, writing, new byte[] {'p'}, new byte[0]);
            return database.get(defaultFamily, new byte[] {'p'}) != null;
        } finally {
            guard.leave();
        }
    }

    /** Brings the log to the disk. Returns the sequence number that is safe now. */
    long sync() throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            long sequence = database.getLatestSequenceNumber();
            database.syncWal();
            return sequence;
        } finally {
            guard.leave();
        }
    }

    /** Starts a new partition when the newest {@linkplain Partitions#isFull takes no more}. */
    void rotate(long nowMillis) throws RocksDBException, ClosedStore {
        commitMillis = Math.max(commitMillis, nowMillis);
        if (!partitions.isFull(nowMillis)) {
            return;
        }
        guard.enter();
        try {
            begin(nowMillis);
        } finally {
            guard.leave();
        }
    }

    private void begin(long nowMillis) throws RocksDBException {
        Partitions before = partitions;
        partitions = before.and(
                nowMillis,
                database.createColumnFamily(new ColumnFamilyDescriptor(
                        Partition.name(before.nextSequence(), nowMillis), options.family())));
    }

    /** Takes sorted files in as a new partition, the newest: all or none. They are gone from where they were. */
    void ingest(List<String> files, long nowMillis) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            begin(nowMillis);
            ingestIntoNewest(files);
        } finally {
            guard.leave();
        }
    }

    /** As {@link #ingest}, into the newest partition there is; what was there before under the same hash is hidden. */
    void ingestInto(List<String> files) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            ingestIntoNewest(files);
        } finally {
            guard.leave();
        }
    }

    private void ingestIntoNewest(List<String> files) throws RocksDBException {
        try (IngestExternalFileOptions moving = new IngestExternalFileOptions().setMoveFiles(true)) {
            database.ingestExternalFile(partitions.newest().handle(), files, moving);
        }
    }

    /** Whether the oldest partition {@linkplain Partitions#hasExpired may go}. */
    boolean hasExpired(long nowMillis) {
        return partitions.hasExpired(nowMillis);
    }

    /** Drops the oldest partition. */
    void dropOldest() throws RocksDBException, ClosedStore {
        Partitions before = partitions;
        ColumnFamilyHandle oldest = before.oldest().handle();
        guard.enter();
        try {
            database.dropColumnFamily(oldest);
            partitions = before.withoutOldest();
        } finally {
            guard.leave();
        }
        guard.free(oldest::close);
    }

    /** Sequence number of the partition that is written to; 0 before the first. */
    long newestSequence() {
        Partitions now = partitions;
        return now.isEmpty() ? 0 : now.newest().sequence();
    }

    /** Sequence number of the oldest partition; 0 before the first. */
    long oldestSequence() {
        Partitions now = partitions;
        return now.isEmpty() ? 0 : now.oldest().sequence();
    }

    /** The partitions' sequence numbers, newest first. */
    List<Long> sequences() {
        return partitions.all().stream().map(Partition::sequence).toList();
    }

    /** Bytes of files and memory tables, or 0 when RocksDB does not say. */
    long bytes() throws RocksDBException, ClosedStore {
        return sum("rocksdb.total-sst-files-size") + sum("rocksdb.cur-size-all-mem-tables");
    }

    /** Records, shadowed copies included; an estimate. */
    long records() throws RocksDBException, ClosedStore {
        return sum("rocksdb.estimate-num-keys");
    }

    private long sum(String property) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            long total = 0;
            for (Partition partition : partitions.all()) {
                total += database.getLongProperty(partition.handle(), property);
            }
            return total;
        } finally {
            guard.leave();
        }
    }

    /** True when a partition newer than the given one has a copy. */
    boolean isShadowed(long sequence, byte[] hash) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            for (Partition partition : partitions.all()) {
                if (partition.sequence() <= sequence) {
                    return false;
                }
                if (database.get(partition.handle(), reading, hash) != null) {
                    return true;
                }
            }
            return false;
        } finally {
            guard.leave();
        }
    }

    /** Records of a partition from hash {@code from} on; none when the partition is gone. */
    Slice slice(long sequence, byte[] from, int most) throws RocksDBException, ClosedStore {
        return slice(sequence, from, null, most);
    }

    /** As the other, of those before hash {@code to}; null for no end. */
    Slice slice(long sequence, byte[] from, byte @Nullable [] to, int most) throws RocksDBException, ClosedStore {
        guard.enter();
        try (ReadOptions passing = new ReadOptions().setFillCache(false)) {
            Partition partition = partitions.find(sequence);
            if (partition == null) {
                return new Slice(List.of(), null, false);
            }
            List<Stored> records = new ArrayList<>();
            try (RocksIterator iterator = database.newIterator(partition.handle(), passing)) {
                long bytes = 0;
                byte[] last = from;
                for (iterator.seek(from); iterator.isValid(); iterator.next()) {
                    byte[] here = iterator.key();
                    if (to != null && Arrays.compareUnsigned(here, to) >= 0) {
                        return new Slice(records, null, false);
                    }
                    if (records.size() == most || bytes > SLICE_BYTES) {
                        return new Slice(records, here, false);
                    }
                    last = here;
                    records.add(new Stored(last, iterator.value()));
                    bytes += records.get(records.size() - 1).record.length;
                }
                iterator.status();
                return new Slice(records, null, false);
            } catch (RocksDBException e) {
                if (!Opening.isCorruption(e)) {
                    throw e;
                }
                byte[] last = records.isEmpty() ? from : records.get(records.size() - 1).hash;
                return new Slice(records, beyond(partition, passing, last), true);
            }
        } finally {
            guard.leave();
        }
    }

    /**
     * The first readable hash after a damaged block. Hashes are evenly spread, so steps that double find the block's end
     * after a few tries and overshoot by at most as much as was damaged.
     */
    private byte @Nullable [] beyond(Partition partition, ReadOptions passing, byte[] last) {
        long position = ByteBuffer.wrap(last).getLong();
        for (int shift = 40; shift < 64; shift++) {
            long next = position + (1L << shift);
            if (Long.compareUnsigned(next, position) < 0) {
                return null;
            }
            position = next;
            try (RocksIterator iterator = database.newIterator(partition.handle(), passing)) {
                iterator.seek(
                        ByteBuffer.allocate(KeyHash.BYTES).putLong(position).array());
                if (iterator.isValid()) {
                    return iterator.key();
                }
            }
        }
        return null;
    }

    /** Closes the database, waiting at most this long for calls under way. Returns whether it did. Idempotent. */
    boolean close(long waitMillis) {
        return guard.close(waitMillis, this::free);
    }

    private void free() {
        for (Partition partition : partitions.all()) {
            partition.handle().close();
        }
        sides.free();
        defaultFamily.close();
        database.close();
        reading.close();
        fromMemory.close();
        writing.close();
        options.close();
    }
}
