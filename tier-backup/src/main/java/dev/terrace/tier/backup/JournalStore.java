package dev.terrace.tier.backup;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** The journal's database: three families of records by name. Belongs to one thread at a time, opening and closing included. */
final class JournalStore {
    /** Families of records. */
    enum Family {
        /** Writes that wait. */
        WAITING,
        /** Dead letters. */
        DEAD,
        /** Records that could not be believed, for a person to look at. */
        DAMAGED;

        byte[] bytes() {
            return name().getBytes(StandardCharsets.US_ASCII);
        }
    }

    /** A record as it lies in RocksDB. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Stored(byte[] name, byte[] value) {}

    /**
     * All records of a family.
     *
     * @param records those that could be read
     * @param damaged true when blocks of the file were unreadable, so that there may have been more
     */
    record All(List<Stored> records, boolean damaged) {}

    private final NativeOptions options;
    private final RocksDB database;
    private final List<ColumnFamilyHandle> handles;
    private final Map<Family, ColumnFamilyHandle> families = new HashMap<>();
    private final WriteOptions synced = new WriteOptions().setSync(true);
    private final WriteOptions unsynced = new WriteOptions();
    private boolean closed;

    JournalStore(NativeOptions options, Opening.Opened opened) throws RocksDBException {
        this.options = options;
        this.database = opened.database();
        this.handles = new ArrayList<>(opened.handles());
        for (ColumnFamilyHandle handle : opened.handles()) {
            String name = new String(handle.getName(), StandardCharsets.US_ASCII);
            for (Family family : Family.values()) {
                if (family.name().equals(name)) {
                    families.put(family, handle);
                }
            }
        }
        for (Family family : Family.values()) {
            if (!families.containsKey(family)) {
                ColumnFamilyHandle handle =
                        database.createColumnFamily(new ColumnFamilyDescriptor(family.bytes(), options.family()));
                handles.add(handle);
                families.put(family, handle);
            }
        }
    }

    private ColumnFamilyHandle handle(Family family) {
        ColumnFamilyHandle handle = families.get(family);
        if (handle == null) {
            throw new IllegalStateException("no family " + family);
        }
        return handle;
    }

    /** Changes that take effect together. */
    final class Changes implements AutoCloseable {
        private final WriteBatch batch = new WriteBatch();

        void put(Family family, byte[] name, byte[] value) throws RocksDBException {
            batch.put(handle(family), name, value);
        }

        void delete(Family family, byte[] name) throws RocksDBException {
            batch.delete(handle(family), name);
        }

        /** With the disk when this returns, or with the operating system. */
        void write(boolean sync) throws RocksDBException {
            if (batch.count() > 0) {
                database.write(sync ? synced : unsynced, batch);
            }
        }

        @Override
        public void close() {
            batch.close();
        }
    }

    Changes changes() {
        return new Changes();
    }

    /** Reads a family, over damaged blocks as far as that goes. */
    All all(Family family) throws RocksDBException {
        List<Stored> records = new ArrayList<>();
        boolean damaged = false;
        try (ReadOptions passing = new ReadOptions().setFillCache(false)) {
            byte[] from = new byte[0];
            while (from != null) {
                try (RocksIterator iterator = database.newIterator(handle(family), passing)) {
                    for (iterator.seek(from); iterator.isValid(); iterator.next()) {
                        records.add(new Stored(iterator.key(), iterator.value()));
                    }
                    iterator.status();
                    from = null;
                } catch (RocksDBException e) {
                    if (!Opening.isCorruption(e)) {
                        throw e;
                    }
                    damaged = true;
                    byte[] last = records.isEmpty()
                            ? new byte[KeyHash.BYTES]
                            : records.get(records.size() - 1).name();
                    from = beyond(family, passing, last);
                }
            }
        }
        return new All(records, damaged);
    }

    /** As in {@link PartitionedStore}: names are hashes, evenly spread, so steps that double find the end of a damaged block. */
    private byte @Nullable [] beyond(Family family, ReadOptions passing, byte[] last) {
        long position = ByteBuffer.wrap(last).getLong();
        for (int shift = 40; shift < 64; shift++) {
            long next = position + (1L << shift);
            if (Long.compareUnsigned(next, position) < 0) {
                return null;
            }
            position = next;
            try (RocksIterator iterator = database.newIterator(handle(family), passing)) {
                iterator.seek(
                        ByteBuffer.allocate(KeyHash.BYTES).putLong(position).array());
                if (iterator.isValid()) {
                    return iterator.key();
                }
            }
        }
        return null;
    }

    /** Brings the log to the disk. */
    void sync() throws RocksDBException {
        database.syncWal();
    }

    long sequence() {
        return database.getLatestSequenceNumber();
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        handles.forEach(ColumnFamilyHandle::close);
        database.close();
        synced.close();
        unsynced.close();
        options.close();
    }
}
