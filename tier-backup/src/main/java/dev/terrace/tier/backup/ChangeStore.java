package dev.terrace.tier.backup;

import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.PartitionedStore.Slice;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.Sides.Side;
import dev.terrace.tier.backup.repo.DeltaFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The changes that were committed after a snapshot, sorted by key hash and within one hash the newest first, in a database of their own: so they can be
 * brought in in any order. Beside them lie the dictionaries that records need, and which blobs were brought in. All of it can be brought in again: what cannot be
 * opened is thrown away, and what cannot be read is never taken for nothing. Readers may be many; one thread brings in. Memory: 16 MiB of cache, 32 MiB of
 * memory tables.
 */
final class ChangeStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChangeStore.class);
    private static final long CACHE_BYTES = 16L << 20;
    private static final int BATCH = 1_000;
    private static final long BATCH_BYTES = 1 << 20;
    /** Says that there is a list of hashes, beside which the names of blobs stand; none is as short. */
    private static final byte[] LISTED = {'l'};

    /** How RocksDB says that a file is missing. */
    private static final String NO_FILE = "No such file";

    private static final int ORDER_BYTES = Long.BYTES;
    private static final long CLOSING_MILLIS = 5_000;

    private final NativeOptions options;
    private final PartitionedStore store;
    private volatile boolean spoilt;

    /** What was brought in cannot be read any more. */
    static final class SpoiltException extends IOException {
        private static final long serialVersionUID = 1L;

        SpoiltException(@Nullable Exception cause) {
            super("changes that were brought in cannot be read any more", cause);
        }
    }

    private ChangeStore(NativeOptions options, PartitionedStore store) {
        this.options = options;
        this.store = store;
    }

    /** Opens it, or makes it; one that is damaged, anew. */
    static ChangeStore open(Path database, long retentionMillis, long nowMillis)
            throws IOException, RocksDBException, ClosedStore {
        if (Files.exists(database.resolve("CURRENT"))) {
            try {
                return opened(database, true, retentionMillis, nowMillis);
            } catch (SpoiltException | RocksDBException e) {
                if (e instanceof RocksDBException failed
                        && !Opening.isCorruption(failed)
                        && !String.valueOf(e.getMessage()).contains(NO_FILE)) {
                    throw failed;
                }
                LOG.warn("changes of a restore under way are damaged and brought in again folder={}", database, e);
                Folders.delete(database);
            }
        }
        return opened(database, false, retentionMillis, nowMillis);
    }

    private static ChangeStore opened(Path database, boolean isThere, long retentionMillis, long nowMillis)
            throws IOException, RocksDBException, ClosedStore {
        NativeOptions options = NativeOptions.reading(CACHE_BYTES);
        PartitionedStore store;
        try {
            store = isThere
                    ? existing(database, options, retentionMillis)
                    : PartitionedStore.create(database, options, retentionMillis);
        } catch (IOException | RocksDBException | RuntimeException | Error e) {
            options.close();
            throw e;
        }
        try {
            if (store.newestSequence() == 0) {
                store.rotate(nowMillis);
            }
            return new ChangeStore(options, store);
        } catch (RocksDBException | ClosedStore | RuntimeException | Error e) {
            store.close(CLOSING_MILLIS);
            throw e;
        }
    }

    private static PartitionedStore existing(Path database, NativeOptions options, long retentionMillis)
            throws RocksDBException, SpoiltException {
        List<ColumnFamilyDescriptor> families = options.families(database);
        if (families.isEmpty()) {
            throw new SpoiltException(null); // RocksDB does not say why it could not list them.
        }
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        RocksDB opened = RocksDB.open(
                options.database(WALRecoveryMode.TolerateCorruptedTailRecords, false),
                database.toString(),
                families,
                handles);
        return new PartitionedStore(options, new Opening.Opened(opened, handles, false, 0), retentionMillis);
    }

    /** Whether something that was brought in could not be read: then it is to be closed, removed and made anew. */
    boolean isSpoilt() {
        return spoilt;
    }

    /** Reads; what is damaged is no answer. */
    private <T extends @Nullable Object> T whole(Reading<T> reading)
            throws RocksDBException, ClosedStore, SpoiltException {
        try {
            return reading.read();
        } catch (RocksDBException e) {
            if (Opening.isCorruption(e)) {
                spoilt = true;
                throw new SpoiltException(e);
            }
            throw e;
        }
    }

    private interface Reading<T extends @Nullable Object> {
        T read() throws RocksDBException, ClosedStore;
    }

    private Slice slice(byte[] from, byte @Nullable [] to, int most)
            throws RocksDBException, ClosedStore, SpoiltException {
        Slice slice = whole(() -> store.slice(store.newestSequence(), from, to, most));
        if (slice.damaged()) {
            spoilt = true;
            throw new SpoiltException(null);
        }
        return slice;
    }

    private boolean hasSide(byte[] name) throws RocksDBException, ClosedStore, SpoiltException {
        return whole(() -> store.sides().get(Side.KEPT, name) != null);
    }

    NativeOptions options() {
        return options;
    }

    /** Where dictionaries lie. */
    PartitionedStore store() {
        return store;
    }

    /** Collects changes and writes them some at a time. Nothing is removed: what a removal would uncover is older, and hidden by version. */
    final class Bringing {
        private final List<Stored> records = new ArrayList<>();
        private final List<Stored> dictionaries = new ArrayList<>();
        private final List<Stored> kept = new ArrayList<>();
        private long bytes;
        private boolean hadDictionaries;

        /** @param sequence of the first change */
        void add(long sequence, List<DeltaFormat.Change> changes) throws RocksDBException, ClosedStore {
            long order = sequence;
            for (DeltaFormat.Change change : changes) {
                byte[] value = change.value();
                if (value != null && Partition.age(change.family()) != null) {
                    records.add(new Stored(keyOf(change.key(), order), value));
                    bytes += value.length;
                } else if (value != null && Side.DICTIONARIES.familyName().equals(change.family())) {
                    dictionaries.add(new Stored(change.key(), value));
                } else if (value != null && Side.KEPT.familyName().equals(change.family())) {
                    kept.add(new Stored(change.key(), value));
                }
                order++;
            }
            if (records.size() >= BATCH || bytes >= BATCH_BYTES) {
                write();
            }
        }

        private void write() throws RocksDBException, ClosedStore {
            takeDictionaries(dictionaries);
            hadDictionaries |= !dictionaries.isEmpty();
            dictionaries.clear();
            takeKept(kept);
            kept.clear();
            if (!records.isEmpty()) {
                store.write(records);
                records.clear();
                bytes = 0;
            }
        }

        /** All of a blob is here. Returns whether dictionaries were among it. */
        boolean end(String blob) throws RocksDBException, ClosedStore {
            write();
            store.sides().change(Side.KEPT, List.of(new Stored(bytes(blob), new byte[0])), List.of());
            return hadDictionaries;
        }
    }

    /** So that records which need them can be opened. */
    void takeDictionaries(List<Stored> some) throws RocksDBException, ClosedStore {
        List<Stored> whole = some.stream()
                .filter(one -> one.hash().length == Dictionary.ID_BYTES)
                .toList();
        if (!whole.isEmpty()) {
            store.sides().change(Side.DICTIONARIES, whole, List.of());
        }
    }

    /** Hashes of what was to outlive its partition; what was taken off that list since stays on this one. */
    void takeKept(List<Stored> some) throws RocksDBException, ClosedStore {
        if (!some.isEmpty()) {
            List<Stored> all = new ArrayList<>(some);
            all.add(new Stored(LISTED, new byte[0]));
            store.sides().change(Side.KEPT, all, List.of());
        }
    }

    /**
     * Whether all is here and something that never expires, such as the marker of a cache, is not: its hash would be on the list of what outlives its
     * partition. A folder of a build that kept no such list, or has nothing on it, does not say.
     */
    boolean isNotKept(byte[] hash) throws RocksDBException, ClosedStore, SpoiltException {
        return hasSide(LISTED) && !hasSide(hash);
    }

    /** Whether all of a blob is here. */
    boolean has(String blob) throws RocksDBException, ClosedStore, SpoiltException {
        return hasSide(bytes(blob));
    }

    private static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] keyOf(byte[] hash, long order) {
        return ByteBuffer.allocate(hash.length + ORDER_BYTES)
                .put(hash)
                .putLong(Long.MAX_VALUE - order)
                .array();
    }

    /**
     * The newest change of a key that is here.
     *
     * @param sequence its number
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Change(long sequence, byte[] record) {}

    /** The newest change of a key that is here; null when there is none. */
    @Nullable
    Change newest(byte[] hash) throws RocksDBException, ClosedStore, SpoiltException {
        Slice slice = slice(hash, null, 1);
        if (slice.records().isEmpty()) {
            return null;
        }
        Stored first = slice.records().get(0);
        return Arrays.equals(hashOf(first), hash) ? new Change(sequenceOf(first), first.record()) : null;
    }

    private static byte[] hashOf(Stored stored) {
        return Arrays.copyOf(stored.hash(), stored.hash().length - ORDER_BYTES);
    }

    private static long sequenceOf(Stored stored) {
        return Long.MAX_VALUE - ByteBuffer.wrap(stored.hash()).getLong(stored.hash().length - ORDER_BYTES);
    }

    /** The newest change of each key from {@code from} on and before {@code to}, in the order of the hashes. */
    SortedCopies.Stream stream(byte[] from, byte @Nullable [] to) {
        return new Walk(from, to);
    }

    private final class Walk implements SortedCopies.Stream {
        private final byte @Nullable [] to;
        private List<Stored> records = List.of();
        private byte @Nullable [] next;
        private int at;
        private byte @Nullable [] last;

        Walk(byte[] from, byte @Nullable [] to) {
            this.next = from;
            this.to = to;
        }

        @Override
        public @Nullable Stored next() throws RocksDBException, ClosedStore, IOException {
            while (true) {
                while (at < records.size()) {
                    Stored stored = records.get(at++);
                    byte[] hash = hashOf(stored);
                    if (!Arrays.equals(hash, last)) {
                        last = hash;
                        return new Stored(hash, stored.record());
                    }
                }
                byte[] begin = next;
                if (begin == null) {
                    return null;
                }
                Slice slice = slice(begin, to, BATCH);
                records = slice.records();
                next = slice.next();
                at = 0;
            }
        }

        @Override
        public void close() {
            // Nothing is held between slices.
        }
    }

    @Override
    public void close() {
        store.close(CLOSING_MILLIS);
    }
}
