package dev.terrace.tier.backup;

import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.PartitionedStore.Slice;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;

/** Column families of a {@link PartitionedStore} that are no partitions: what lies there is kept until it is removed. Thread-safe. */
final class Sides {
    /** One of them; there from its first record on. */
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

    /** Writes a batch as one step. */
    interface Commit {
        void write(WriteBatch batch) throws RocksDBException;
    }

    private final NativeGuard guard;
    private final RocksDB database;
    private final ColumnFamilyOptions options;
    private final Commit commit;
    private final Map<Side, ColumnFamilyHandle> handles = new ConcurrentHashMap<>();

    Sides(NativeGuard guard, RocksDB database, ColumnFamilyOptions options, Commit commit) {
        this.guard = guard;
        this.database = database;
        this.options = options;
        this.commit = commit;
    }

    /** Takes a column family that is there already, if it is one of these. */
    void know(ColumnFamilyHandle handle) throws RocksDBException {
        for (Side side : Side.values()) {
            if (Arrays.equals(handle.getName(), side.family())) {
                handles.put(side, handle);
            }
        }
    }

    /** Those that are there, by the number that they have in the log. */
    Map<Integer, Side> byNumber() {
        Map<Integer, Side> sides = new HashMap<>();
        handles.forEach((side, handle) -> sides.put(handle.getID(), side));
        return sides;
    }

    /** The record of that name, or null. */
    byte @Nullable [] get(Side side, byte[] name) throws RocksDBException, ClosedStore {
        guard.enter();
        try {
            ColumnFamilyHandle family = handles.get(side);
            return family == null ? null : database.get(family, name);
        } finally {
            guard.leave();
        }
    }

    /** Some records in the order of their names, from name {@code from} on. */
    Slice slice(Side side, byte[] from, int most) throws RocksDBException, ClosedStore {
        guard.enter();
        try (ReadOptions passing = new ReadOptions().setFillCache(false)) {
            ColumnFamilyHandle family = handles.get(side);
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
            guard.leave();
        }
    }

    /** Writes and removes records as one step. Any thread, but for one side and name only one at a time. */
    void change(Side side, List<Stored> kept, List<byte[]> dropped) throws RocksDBException, ClosedStore {
        guard.enter();
        try (WriteBatch batch = new WriteBatch()) {
            ColumnFamilyHandle family = handles.get(side);
            if (family == null) {
                if (kept.isEmpty()) {
                    return;
                }
                family = create(side);
            }
            for (Stored stored : kept) {
                batch.put(family, stored.hash(), stored.record());
            }
            for (byte[] name : dropped) {
                batch.delete(family, name);
            }
            commit.write(batch);
        } finally {
            guard.leave();
        }
    }

    /** Its column family, made if need be; for who has entered the guard. */
    ColumnFamilyHandle create(Side side) throws RocksDBException {
        synchronized (handles) {
            ColumnFamilyHandle family = handles.get(side);
            if (family == null) {
                family = database.createColumnFamily(new ColumnFamilyDescriptor(side.family(), options));
                handles.put(side, family);
            }
            return family;
        }
    }

    /** Returns when all records of a side are in files, so that a damaged log cannot lose them. */
    void flush(Side side) throws RocksDBException, ClosedStore {
        guard.enter();
        try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
            ColumnFamilyHandle family = handles.get(side);
            if (family != null) {
                database.flush(waiting, family);
            }
        } finally {
            guard.leave();
        }
    }

    /** When nobody is inside the guard any more. */
    void free() {
        handles.values().forEach(ColumnFamilyHandle::close);
    }
}
