package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.Entry;
import dev.terrace.tier.backup.MergeGroups.Copy;
import dev.terrace.tier.backup.MergeGroups.Group;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Makes of a folder whose keys have other names, because its index key is another one or it has none, a database that names them as the
 * target does: each record is opened, sealed anew, and sorted anew. Sorts {@link #RUN_BYTES} at a time; RocksDB brings the runs together.
 * For one thread.
 */
final class Rekeying implements AutoCloseable {
    private static final long RUN_BYTES = 32L << 20;
    /** What an array costs beside its bytes, and the list's place for it. */
    private static final int OVERHEAD_BYTES = 64;

    private static final long CLOSE_MILLIS = 30_000;
    private static final long CACHE_BYTES = 8L << 20;

    private final MergeTarget target;
    private final Path work;
    private final NativeOptions options;
    private final PartitionedStore store;
    private final InstantSource clock;
    private List<Stored> run = new ArrayList<>();
    private long runBytes;
    private int runs;

    Rekeying(MergeTarget target, Path work, BackupStorageSettings settings, InstantSource clock)
            throws RocksDBException, IOException {
        this.target = target;
        this.work = work;
        this.clock = clock;
        this.options = NativeOptions.reading(CACHE_BYTES);
        try {
            this.store = PartitionedStore.create(
                    work.resolve(Folder.DATABASE), options, settings.retention().toMillis());
        } catch (RocksDBException | IOException | RuntimeException | Error e) {
            options.close();
            throw e;
        }
    }

    MergeInput run(MergeInput source, Predicate<Entry> wanted)
            throws IOException, RocksDBException, PartitionedStore.ClosedStore {
        store.rotate(clock.millis());
        try (InOrder<Group, Stored> work = new InOrder<>(group -> sealed(group, wanted), this::add)) {
            MergeGroups groups = new MergeGroups(List.of(source));
            for (Group group = groups.next(); group != null; group = groups.next()) {
                work.add(group);
            }
            work.end();
        }
        flush();
        return new MergeInput(store, target.records());
    }

    private @Nullable Stored sealed(Group group, Predicate<Entry> wanted) {
        Copy copy = group.copies().get(0);
        Entry entry = copy.input().open(group.hash(), copy.record());
        if (entry == null || !wanted.test(entry)) {
            return null;
        }
        byte[] hash = target.hashOf(entry.key());
        return new Stored(hash, target.records().seal(hash, entry));
    }

    private void add(Stored stored) throws RocksDBException, IOException, PartitionedStore.ClosedStore {
        run.add(stored);
        runBytes += stored.record().length + OVERHEAD_BYTES;
        if (runBytes >= RUN_BYTES) {
            flush();
        }
    }

    private void flush() throws RocksDBException, IOException, PartitionedStore.ClosedStore {
        if (run.isEmpty()) {
            return;
        }
        run.sort(Comparator.comparing(Stored::hash, Arrays::compareUnsigned));
        try (SortedFiles files = new SortedFiles(work.resolve("run-" + runs++), options)) {
            for (Stored stored : run) {
                files.add(stored);
            }
            store.ingestInto(files.end());
        }
        run = new ArrayList<>();
        runBytes = 0;
    }

    @Override
    public void close() {
        store.close(CLOSE_MILLIS);
    }
}
