package dev.terrace.tier.backup;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.Sides.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * The folder that others are merged into: locked, with all the keys and dictionaries that their records need. What comes in lies in a
 * partition of its own, the newest, and comes in one step.
 */
final class MergeTarget implements AutoCloseable {
    private static final long CLOSE_MILLIS = 30_000;

    private final Folder folder;
    private final NativeOptions options;
    private final HighWater highWater;
    private final PartitionedStore store;
    private final Dictionaries dictionaries;
    private final @Nullable KeyRing ring;
    private final Records records;
    private final KeyHash hash;
    private final InstantSource clock;
    private final long retentionMillis;

    private MergeTarget(
            Folder folder,
            NativeOptions options,
            HighWater highWater,
            PartitionedStore store,
            Dictionaries dictionaries,
            @Nullable KeyRing ring,
            Records records,
            InstantSource clock,
            long retentionMillis) {
        this.folder = folder;
        this.options = options;
        this.highWater = highWater;
        this.store = store;
        this.dictionaries = dictionaries;
        this.ring = ring;
        this.records = records;
        this.hash = ring == null ? KeyHash.plain() : KeyHash.keyed(ring.indexKey());
        this.clock = clock;
        this.retentionMillis = retentionMillis;
    }

    /**
     * Takes the folder, and into it the keys and dictionaries of those that are merged.
     *
     * @throws dev.terrace.api.SetupException when it is in use or cannot be opened
     */
    static MergeTarget open(BackupStorageSettings settings, InstantSource clock, List<MergeSource> sources)
            throws IOException, RocksDBException, PartitionedStore.ClosedStore {
        Folder folder = Folder.take(Folder.Kind.BACKUP, settings.path(), settings.encryption());
        try {
            KeyRing ring = RocksTierProvider.openKeys(clock, settings, folder);
            if (ring != null) {
                for (MergeSource source : sources) {
                    KeyRing other = source.ring();
                    if (other != null) {
                        ring.join(other);
                    }
                }
            }
            return open(folder, ring, settings, clock, sources);
        } catch (IOException | RocksDBException | PartitionedStore.ClosedStore | RuntimeException | Error e) {
            folder.close();
            throw e;
        }
    }

    private static MergeTarget open(
            Folder folder,
            @Nullable KeyRing ring,
            BackupStorageSettings settings,
            InstantSource clock,
            List<MergeSource> sources)
            throws IOException, RocksDBException, PartitionedStore.ClosedStore {
        long retentionMillis = settings.retention().toMillis();
        HighWater highWater = new HighWater(folder.highWater());
        // Its log stays for who ships it, as a node's does.
        NativeOptions options = new NativeOptions(settings.objectStorage() != null);
        PartitionedStore store;
        try {
            store = new PartitionedStore(
                    options, new Opening(folder, options, highWater, clock.millis()).open(), retentionMillis);
        } catch (IOException | RuntimeException | Error e) {
            options.close();
            throw e;
        }
        Dictionaries dictionaries = new Dictionaries(
                cache -> settings.compression(), store, ring, CacheWatch.Limits.USUAL, clock, new MetricRegistry());
        try {
            store.rotate(clock.millis());
            for (MergeSource source : sources) {
                dictionaries.take(source.dictionaryRecords());
            }
            dictionaries.load();
            Records records = new Records(dictionaries, ring, Partitions.keepMillis(retentionMillis));
            return new MergeTarget(
                    folder, options, highWater, store, dictionaries, ring, records, clock, retentionMillis);
        } catch (RocksDBException | PartitionedStore.ClosedStore | RuntimeException | Error e) {
            dictionaries.close();
            store.close(0);
            throw e;
        }
    }

    @Nullable
    KeyRing ring() {
        return ring;
    }

    Records records() {
        return records;
    }

    NativeOptions options() {
        return options;
    }

    byte[] hashOf(CacheKey key) {
        return hash.of(key);
    }

    /** What it holds itself; null when there is nothing that can be believed. */
    @Nullable
    Entry held(byte[] hashed) throws RocksDBException, PartitionedStore.ClosedStore {
        byte[] record;
        try {
            record = store.get(hashed);
        } catch (RocksDBException e) {
            if (Opening.isCorruption(e)) {
                return null;
            }
            throw e;
        }
        return record == null ? null : records.open(hashed, record);
    }

    /** Whether {@code entry} must be carried on when its partition goes. */
    boolean isKept(Entry entry) {
        return Keeper.isKept(entry, retentionMillis, clock.millis());
    }

    /** Notes hashes of those that are {@linkplain #isKept kept}. */
    void note(List<byte[]> kept) throws RocksDBException, PartitionedStore.ClosedStore {
        List<Stored> names = new ArrayList<>();
        kept.forEach(name -> names.add(new Stored(name, new byte[0])));
        store.sides().change(Side.KEPT, names, List.of());
    }

    /** Takes files in, all or none; they are gone from where they were. Durable when this returns. */
    void ingest(List<String> files) throws RocksDBException, PartitionedStore.ClosedStore, IOException {
        if (!files.isEmpty()) {
            leaveHole();
            store.ingest(files, clock.millis());
        }
        highWater.write(store.sync());
    }

    /**
     * What is taken in is not in the log. Whoever ships the log must find that something is missing there, and take a snapshot: so a number is used up
     * that no log has.
     */
    private void leaveHole() throws RocksDBException, PartitionedStore.ClosedStore, IOException {
        store.use(database -> {
            try (WriteOptions past = new WriteOptions().setDisableWAL(true);
                    FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
                database.put(past, new byte[] {'m'}, new byte[0]);
                database.flush(waiting);
                return true;
            }
        });
    }

    /** Makes an empty folder Terrace's, with the keys of another. */
    static void begin(Path folder, @Nullable Path keys) throws IOException {
        Files.createDirectories(folder);
        if (keys != null) {
            Atomically.write(folder.resolve(Folder.KEYS), Files.readAllBytes(keys));
        }
        Atomically.write(folder.resolve(Folder.MARKER), Folder.form(Folder.Kind.BACKUP, keys != null));
    }

    @Override
    public void close() {
        dictionaries.close();
        Records.releaseThread();
        if (store.close(CLOSE_MILLIS)) {
            folder.close();
        }
    }
}
