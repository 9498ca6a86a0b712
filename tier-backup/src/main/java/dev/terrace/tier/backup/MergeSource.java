package dev.terrace.tier.backup;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.Sides.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;

/** The restored folder of one writer, read only, with the keys and dictionaries that its records need. */
final class MergeSource implements AutoCloseable {
    private static final long CACHE_BYTES = 8L << 20;
    private static final int SLICE = 16;

    private final PartitionedStore store;
    private final Dictionaries dictionaries;
    private final @Nullable KeyRing ring;
    private final MergeInput input;

    private MergeSource(PartitionedStore store, Dictionaries dictionaries, @Nullable KeyRing ring, MergeInput input) {
        this.store = store;
        this.dictionaries = dictionaries;
        this.ring = ring;
        this.input = input;
    }

    /**
     * Opens it.
     *
     * @param settings whose master key opens its keys; a folder without keys is plain
     */
    static MergeSource open(Path folder, BackupStorageSettings settings, InstantSource clock)
            throws IOException, RocksDBException, PartitionedStore.ClosedStore {
        Path keys = folder.resolve(Folder.KEYS);
        KeyRing ring = Files.exists(keys) ? KeyRing.open(keys, settings, clock) : null;
        NativeOptions options = NativeOptions.reading(CACHE_BYTES);
        PartitionedStore store;
        try {
            store = openStore(folder.resolve(Folder.DATABASE), options, settings);
        } catch (RocksDBException | RuntimeException | Error e) {
            options.close();
            throw e;
        }
        Dictionaries dictionaries =
                new Dictionaries(cache -> false, store, ring, CacheWatch.Limits.USUAL, clock, new MetricRegistry());
        try {
            dictionaries.load();
        } catch (RocksDBException | PartitionedStore.ClosedStore | RuntimeException | Error e) {
            dictionaries.close();
            store.close(0);
            throw e;
        }
        return new MergeSource(store, dictionaries, ring, new MergeInput(store, Records.reading(dictionaries, ring)));
    }

    private static PartitionedStore openStore(Path database, NativeOptions options, BackupStorageSettings settings)
            throws RocksDBException {
        List<ColumnFamilyDescriptor> families = options.families(database);
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        RocksDB opened = RocksDB.openReadOnly(
                options.database(WALRecoveryMode.TolerateCorruptedTailRecords, false),
                database.toString(),
                families,
                handles);
        return new PartitionedStore(
                options,
                new Opening.Opened(opened, handles, false, 0),
                settings.retention().toMillis());
    }

    MergeInput input() {
        return input;
    }

    @Nullable
    KeyRing ring() {
        return ring;
    }

    /** Whether a folder with these keys, null for a plain one, finds a key under the same hash and may take records as they are. */
    boolean isNamedAs(@Nullable KeyRing other) {
        return ring == null || other == null ? ring == other : Arrays.equals(ring.indexKey(), other.indexKey());
    }

    /** Its dictionaries as they lie there: sealed under data keys, which come along. */
    List<Stored> dictionaryRecords() throws RocksDBException, PartitionedStore.ClosedStore {
        List<Stored> all = new ArrayList<>();
        byte[] from = new byte[0];
        while (from != null) {
            PartitionedStore.Slice slice = store.sides().slice(Side.DICTIONARIES, from, SLICE);
            for (Stored stored : slice.records()) {
                if (stored.hash().length == Dictionary.ID_BYTES) {
                    all.add(stored);
                }
            }
            from = slice.next();
        }
        return all;
    }

    @Override
    public void close() {
        dictionaries.close();
        store.close(0);
    }
}
