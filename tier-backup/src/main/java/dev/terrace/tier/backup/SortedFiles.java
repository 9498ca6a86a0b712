package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.EnvOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;
import org.rocksdb.WALRecoveryMode;

/**
 * Writes records, which come in the order of their hashes, into files that RocksDB takes in as they are. Each is on the disk when it is
 * complete. Memory: the index and the filter of one file, about 1 MiB, and RocksDB's buffer of it. For one thread.
 */
final class SortedFiles implements AutoCloseable {
    private static final long FILE_BYTES = 64L << 20;

    private final Path folder;
    private final EnvOptions environment = new EnvOptions();
    private final Options options;
    private final List<String> complete = new ArrayList<>();
    private @Nullable SstFileWriter writer;
    private long bytes;

    /** @param folder on the disk of the database, empty or not there yet */
    SortedFiles(Path folder, NativeOptions options) throws IOException {
        this.folder = folder;
        this.options = new Options(options.database(WALRecoveryMode.AbsoluteConsistency, false), options.family());
        Files.createDirectories(folder);
    }

    void add(PartitionedStore.Stored stored) throws RocksDBException {
        SstFileWriter open = writer;
        if (open == null) {
            open = new SstFileWriter(environment, options);
            writer = open; // Before anything may fail: it is native.
            open.open(folder.resolve(complete.size() + ".sst").toString());
        }
        open.put(stored.hash(), stored.record());
        bytes += stored.hash().length + stored.record().length;
        if (bytes >= FILE_BYTES) {
            end(open);
        }
    }

    private void end(SstFileWriter open) throws RocksDBException {
        open.finish();
        open.close();
        writer = null;
        bytes = 0;
        complete.add(folder.resolve(complete.size() + ".sst").toString());
    }

    /** The files, each following the one before; none when there was nothing. */
    List<String> end() throws RocksDBException {
        SstFileWriter open = writer;
        if (open != null) {
            end(open);
        }
        return List.copyOf(complete);
    }

    @Override
    public void close() {
        SstFileWriter open = writer;
        if (open != null) {
            open.close();
        }
        options.close();
        environment.close();
    }
}
