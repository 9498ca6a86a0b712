package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
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
 * <p>Reads are thread-safe. Writing, rotating and dropping belong to one thread. RocksDB crashes the process when it is
 * touched after closing, or when a dropped handle is used, so every call holds the read lock and whoever frees native
 * memory holds the write lock.
 */
final class PartitionedStore {
    /** Partitions per retention: data is kept up to one eighth longer than asked. */
    private static final int PARTS = 8;

    private static final long SLICE_BYTES = 1 << 20;
    private static final byte[] NOTHING = new byte[0];

    /** Column families that are no partitions: what lies there is kept until it is removed. */
    enum Side {
        /** What zones of L2 have missed. */
        HINTS,
        /** Dictionaries. */
        DICTIONARIES,
        /** Hashes of entries that are written again before their partition goes; no values. */
        KEPT;

        String familyName() {
            return name().toLowerCase(Locale.ROOT);
        }

        private byte[] family() {
            return familyName().getBytes(StandardCharsets.US_ASCII);
        }
    }

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

    private final ReentrantReadWriteLock guard = new ReentrantReadWriteLock();
    private final NativeOptions options;
    private final RocksDB database;
    private final ColumnFamilyHandle defaultFamily;
    private final ReadOptions reading = new ReadOptions();
    private final ReadOptions fromMemory = new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER);
    private final WriteOptions writing = new WriteOptions();
    private final long widthMillis;
    private final long retentionMillis;
    private final long restoredMillis;
    /** Newest first. Replaced, never changed. */
    private volatile List<Partition> partitions;

    /** Each from its first record on. */
    private final Map<Side, ColumnFamilyHandle> sides = new ConcurrentHashMap<>();

    /** When what is written now is committed; never goes back. */
    private volatile long commitMillis;

    /** See {@link #knownSequence}. */
    private volatile long knownSequence;

    private boolean closed;

    PartitionedStore(NativeOptions options, Opening.Opened opened, long retentionMillis) {
        this(options, opened, retentionMillis, 0);
    }

    /** @param restoredMillis when the folder was restored: what is older is kept as if it were written then; 0 when it was not */
    PartitionedStore(NativeOptions options, Opening.Opened opened, long retentionMillis, long restoredMillis) {
        this.restoredMillis = restoredMillis;
        this.options = options;
        this.database = opened.database();
        this.retentionMillis = retentionMillis;
        this.widthMillis = Math.max(1, retentionMillis / PARTS);
        this.defaultFamily = opened.handles().get(0);
        this.knownSequence = database.getLatestSequenceNumber();
        List<Partition> found = new ArrayList<>();
        for (ColumnFamilyHandle handle :
                opened.handles().subList(1, opened.handles().size())) {
            try {
                Partition partition = Partition.of(handle.getName(), handle);
                if (partition != null) {
                    found.add(partition);
                }
                for (Side side : Side.values()) {
                    if (Arrays.equals(handle.getName(), side.family())) {
                        sides.put(side, handle);
                    }
                }
            } catch (RocksDBException e) {
                throw new IllegalStateException("an open column family has no name", e);
            }
        }
        found.sort(Comparator.comparingLong(Partition::sequence).reversed());
        this.partitions = List.copyOf(found);
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

    /** How long a record may live: the retention and the width of a partition. */
    static long keepMillis(long retentionMillis) {
        return retentionMillis + Math.max(1, retentionMillis / PARTS);
    }

    private void enter() throws ClosedStore {
        guard.readLock().lock();
        if (closed) {
            guard.readLock().unlock();
            throw new ClosedStore();
        }
    }

    private void leave() {
        guard.readLock().unlock();
    }

    /** The newest copy, or null. Key by key also for many keys: RocksDB's multi-get is no faster from Java, and its lists
     * cannot tell a damaged record from a missing one. */
    byte @Nullable [] get(byte[] hash) throws RocksDBException, ClosedStore {
        enter();
        try {
            for (Partition partition : partitions) {
                byte[] record = database.get(partition.handle(), reading, hash);
                if (record != null) {
                    return record;
                }
            }
            return null;
        } finally {
            leave();
        }
    }

    /** What {@link #get} finds, or null when only the disk, or somebody who holds this store, could tell. Waits for neither. */
    @Nullable
    InMemory getFromMemory(byte[] hash) {
        if (!guard.readLock().tryLock()) {
            return null;
        }
        try {
            if (closed) {
                return null;
            }
            for (Partition partition : partitions) {
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
            leave();
        }
    }

    /** As {@link #get}, but only the beginning of the copy, as much as {@code buffer} takes. Returns its length, or -1. */
    int peek(byte[] hash, byte[] buffer) throws RocksDBException, ClosedStore {
        enter();
        try {
            for (Partition partition : partitions) {
                int length = database.get(partition.handle(), reading, hash, buffer);
                if (length != RocksDB.NOT_FOUND) {
                    return Math.min(length, buffer.length);
                }
            }
            return -1;
        } finally {
            leave();
        }
    }

    void write(List<Stored> records) throws RocksDBException, ClosedStore {
        write(records, List.of());
    }

    /** Writes into the newest partition, and notes some hashes as {@link Side#KEPT}; in the operating system's hands when this returns. */
    void write(List<Stored> records, List<byte[]> kept) throws RocksDBException, ClosedStore {
        enter();
        try (WriteBatch batch = new WriteBatch()) {
            if (!kept.isEmpty()) {
                ColumnFamilyHandle family = create(Side.KEPT);
                for (byte[] hash : kept) {
                    batch.put(family, hash, NOTHING);
                }
            }
            ColumnFamilyHandle newest = partitions.get(0).handle();
            for (Stored stored : records) {
                batch.put(newest, stored.hash, stored.record);
            }
            stamp(batch);
            database.write(writing, batch);
        } finally {
            leave();
        }
    }

    /** Removes copies from one partition. */
    void delete(long sequence, List<byte[]> hashes) throws RocksDBException, ClosedStore {
        enter();
        try (WriteBatch batch = new WriteBatch()) {
            Partition partition = find(sequence);
            if (partition == null || hashes.isEmpty()) {
                return;
            }
            for (byte[] hash : hashes) {
                batch.delete(partition.handle(), hash);
            }
            stamp(batch);
            database.write(writing, batch);
        } finally {
            leave();
        }
    }

    /** The record of that name, or null. */
    byte @Nullable [] side(Side side, byte[] name) throws RocksDBException, ClosedStore {
        enter();
        try {
            ColumnFamilyHandle family = sides.get(side);
            return family == null ? null : database.get(family, reading, name);
        } finally {
            leave();
        }
    }

    /** Some records in the order of their names, from name {@code from} on. */
    Slice side(Side side, byte[] from, int most) throws RocksDBException, ClosedStore {
        enter();
        try (ReadOptions passing = new ReadOptions().setFillCache(false)) {
            ColumnFamilyHandle family = sides.get(side);
            List<Stored> records = new ArrayList<>();
            if (family == null) {
                return new Slice(records, null, false);
            }
            try (RocksIterator iterator = database.newIterator(family, passing)) {
                for (iterator.seek(from); iterator.isValid(); iterator.next()) {
                    if (records.size() == most) {
                        return new Slice(records, iterator.key(), false);
                    }
                    records.add(new Stored(iterator.key(), iterator.value()));
                }
                iterator.status();
            }
            return new Slice(records, null, false);
        } finally {
            leave();
        }
    }

    /** Writes and removes records as one step. Any thread, but for one side and name only one at a time. */
    void changeSide(Side side, List<Stored> kept, List<byte[]> dropped) throws RocksDBException, ClosedStore {
        enter();
        try (WriteBatch batch = new WriteBatch()) {
            ColumnFamilyHandle family = sides.get(side);
            if (family == null) {
                if (kept.isEmpty()) {
                    return;
                }
                family = create(side);
            }
            for (Stored stored : kept) {
                batch.put(family, stored.hash, stored.record);
            }
            for (byte[] name : dropped) {
                batch.delete(family, name);
            }
            stamp(batch);
            database.write(writing, batch);
        } finally {
            leave();
        }
    }

    private ColumnFamilyHandle create(Side side) throws RocksDBException {
        synchronized (sides) {
            ColumnFamilyHandle family = sides.get(side);
            if (family == null) {
                family = database.createColumnFamily(new ColumnFamilyDescriptor(side.family(), options.family()));
                sides.put(side, family);
            }
            return family;
        }
    }

    /** Returns when all records of a side are in files, so that a damaged log cannot lose them. */
    void flushSide(Side side) throws RocksDBException, ClosedStore {
        enter();
        try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
            ColumnFamilyHandle family = sides.get(side);
            if (family != null) {
                database.flush(waiting, family);
            }
        } finally {
            leave();
        }
    }

    /** Returns when all entries that are written are in files. */
    void flushPartitions() throws RocksDBException, ClosedStore {
        enter();
        try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
            List<ColumnFamilyHandle> handles =
                    partitions.stream().map(Partition::handle).toList();
            if (!handles.isEmpty()) {
                database.flush(waiting, handles);
            }
        } finally {
            leave();
        }
    }

    /** Whether files of entries are being merged, or will be soon. */
    boolean isMerging() throws RocksDBException, ClosedStore {
        return sum("rocksdb.num-running-compactions") > 0 || sum("rocksdb.compaction-pending") > 0;
    }

    /** Says in the log, and only there, when this is committed: what is shipped from it can be restored as of any moment. */
    private void stamp(WriteBatch batch) throws RocksDBException {
        batch.putLogData(ByteBuffer.allocate(Long.BYTES).putLong(commitMillis).array());
    }

    /** What is done with the database itself. */
    interface Use<T> {
        T with(RocksDB database) throws RocksDBException, IOException;
    }

    /** Does it while nothing is closed; for what does not belong to entries: the log, checkpoints. */
    <T> T use(Use<T> use) throws RocksDBException, IOException, ClosedStore {
        enter();
        try {
            return use.with(database);
        } finally {
            leave();
        }
    }

    /** Column families by the number they have in the log; with an empty name when they do not belong to a backup. */
    Map<Integer, String> families() {
        Map<Integer, String> names = new HashMap<>();
        names.put(defaultFamily.getID(), "");
        sides.forEach((side, handle) -> names.put(handle.getID(), side == Side.HINTS ? "" : side.familyName()));
        for (Partition partition : partitions) {
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
        enter();
        try {
            database.put(defaultFamily, writing, new byte[] {'p'}, new byte[0]);
            return database.get(defaultFamily, new byte[] {'p'}) != null;
        } finally {
            leave();
        }
    }

    /** Brings the log to the disk. Returns the sequence number that is safe now. */
    long sync() throws RocksDBException, ClosedStore {
        enter();
        try {
            long sequence = database.getLatestSequenceNumber();
            database.syncWal();
            return sequence;
        } finally {
            leave();
        }
    }

    /**
     * Starts a new partition when the newest is full, or when it was begun by a clock far ahead of this one: it would
     * not be full for as long.
     */
    void rotate(long nowMillis) throws RocksDBException, ClosedStore {
        commitMillis = Math.max(commitMillis, nowMillis);
        Partition newest = partitions.isEmpty() ? null : partitions.get(0);
        if (newest != null) {
            boolean full = nowMillis >= newest.startMillis() + widthMillis;
            boolean fromTheFuture = nowMillis < newest.startMillis() - widthMillis && partitions.size() < 2 * PARTS;
            if (!full && !fromTheFuture) {
                return;
            }
        }
        enter();
        try {
            begin(newest, nowMillis);
        } finally {
            leave();
        }
    }

    private void begin(@Nullable Partition newest, long nowMillis) throws RocksDBException {
        long sequence = newest == null ? 1 : newest.sequence() + 1;
        ColumnFamilyHandle handle = database.createColumnFamily(
                new ColumnFamilyDescriptor(Partition.name(sequence, nowMillis), options.family()));
        List<Partition> next = new ArrayList<>();
        next.add(new Partition(sequence, nowMillis, handle));
        next.addAll(partitions);
        partitions = List.copyOf(next);
    }

    /** Takes sorted files in as a new partition, the newest: all or none. They are gone from where they were. */
    void ingest(List<String> files, long nowMillis) throws RocksDBException, ClosedStore {
        enter();
        try {
            begin(partitions.isEmpty() ? null : partitions.get(0), nowMillis);
            ingestIntoNewest(files);
        } finally {
            leave();
        }
    }

    /** As {@link #ingest}, into the newest partition there is; what was there before under the same hash is hidden. */
    void ingestInto(List<String> files) throws RocksDBException, ClosedStore {
        enter();
        try {
            ingestIntoNewest(files);
        } finally {
            leave();
        }
    }

    private void ingestIntoNewest(List<String> files) throws RocksDBException {
        try (IngestExternalFileOptions moving = new IngestExternalFileOptions().setMoveFiles(true)) {
            database.ingestExternalFile(partitions.get(0).handle(), files, moving);
        }
    }

    /**
     * Whether the oldest partition may go, because everything in it is older than the retention. It goes before any newer one, whatever
     * the clock did meanwhile: a newer partition may hold the copies, tombstones among them, that hide what is in an older one. So when a
     * newer one has had its time, all before it have.
     */
    boolean hasExpired(long nowMillis) {
        for (int i = partitions.size() - 1; i > 0; i--) {
            if (nowMillis >= endMillis(i) + retentionMillis) {
                return true;
            }
        }
        return false;
    }

    /** Drops the oldest partition. */
    void dropOldest() throws RocksDBException, ClosedStore {
        drop(partitions.get(partitions.size() - 1));
    }

    /**
     * When the last write went into the partition at {@code index}: when the next one began. A clock that jumped must
     * neither keep a partition for years nor drop one early, so a beginning before its own counts only if there is no
     * better one.
     */
    private long endMillis(int index) {
        long own = partitions.get(index).startMillis();
        long later = Long.MAX_VALUE;
        long any = Long.MAX_VALUE;
        for (Partition newer : partitions.subList(0, index)) {
            any = Math.min(any, newer.startMillis());
            if (newer.startMillis() >= own) {
                later = Math.min(later, newer.startMillis());
            }
        }
        long end = later == Long.MAX_VALUE ? any : later;
        return own <= restoredMillis ? Math.max(end, restoredMillis) : end;
    }

    private void drop(Partition expired) throws RocksDBException, ClosedStore {
        enter();
        try {
            database.dropColumnFamily(expired.handle());
            partitions = partitions.stream()
                    .filter(partition -> partition.sequence() != expired.sequence())
                    .toList();
        } finally {
            leave();
        }
        guard.writeLock().lock();
        try {
            expired.handle().close();
        } finally {
            guard.writeLock().unlock();
        }
    }

    private @Nullable Partition find(long sequence) {
        for (Partition partition : partitions) {
            if (partition.sequence() == sequence) {
                return partition;
            }
        }
        return null;
    }

    /** Sequence number of the partition that is written to; 0 before the first. */
    long newestSequence() {
        List<Partition> now = partitions;
        return now.isEmpty() ? 0 : now.get(0).sequence();
    }

    /** Sequence number of the oldest partition; 0 before the first. */
    long oldestSequence() {
        List<Partition> now = partitions;
        return now.isEmpty() ? 0 : now.get(now.size() - 1).sequence();
    }

    /** The partitions' sequence numbers, newest first. */
    List<Long> sequences() {
        return partitions.stream().map(Partition::sequence).toList();
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
        enter();
        try {
            long total = 0;
            for (Partition partition : partitions) {
                total += database.getLongProperty(partition.handle(), property);
            }
            return total;
        } finally {
            leave();
        }
    }

    /** True when a partition newer than the given one has a copy. */
    boolean isShadowed(long sequence, byte[] hash) throws RocksDBException, ClosedStore {
        enter();
        try {
            for (Partition partition : partitions) {
                if (partition.sequence() <= sequence) {
                    return false;
                }
                if (database.get(partition.handle(), reading, hash) != null) {
                    return true;
                }
            }
            return false;
        } finally {
            leave();
        }
    }

    /** Records of a partition from hash {@code from} on; none when the partition is gone. */
    Slice slice(long sequence, byte[] from, int most) throws RocksDBException, ClosedStore {
        return slice(sequence, from, null, most);
    }

    /** As the other, of those before hash {@code to}; null for no end. */
    Slice slice(long sequence, byte[] from, byte @Nullable [] to, int most) throws RocksDBException, ClosedStore {
        enter();
        try (ReadOptions passing = new ReadOptions().setFillCache(false)) {
            Partition partition = find(sequence);
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
            leave();
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
        if (!lockWithin(waitMillis)) {
            return false;
        }
        try {
            if (closed) {
                return true;
            }
            closed = true;
            for (Partition partition : partitions) {
                partition.handle().close();
            }
            sides.values().forEach(ColumnFamilyHandle::close);
            defaultFamily.close();
            database.close();
            reading.close();
            fromMemory.close();
            writing.close();
            options.close();
            return true;
        } finally {
            guard.writeLock().unlock();
        }
    }

    private boolean lockWithin(long waitMillis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return guard.writeLock().tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true; // The wait is short and leaving the database open would be worse.
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
