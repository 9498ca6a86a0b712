package dev.terrace.tier.backup;

import dev.terrace.spi.BlobSource;
import dev.terrace.tier.backup.repo.Checkpoint;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.rocksdb.RocksDBException;

/**
 * Takes checkpoints of an open store: hard links to its files, so they cost no space until the store has replaced those. Writers go on meanwhile.
 */
final class StoreCheckpoint {
    private static final int TAIL_BYTES = 4096;

    private final PartitionedStore store;
    private final Path folder;
    private final InstantSource clock;

    /** @param folder where a checkpoint is made; on the same disk as the store, replaced by each */
    StoreCheckpoint(PartitionedStore store, Path folder, InstantSource clock) {
        this.store = store;
        this.folder = folder;
        this.clock = clock;
    }

    Checkpoint take() throws RocksDBException, PartitionedStore.ClosedStore, IOException {
        discard();
        long sequence = store.use(database -> {
            // Changes that come between the two are in the files and in the deltas after it: applied again, they change
            // nothing.
            long before = database.getLatestSequenceNumber();
            try (org.rocksdb.Checkpoint native_ = org.rocksdb.Checkpoint.create(database)) {
                native_.createCheckpoint(folder.toString());
            }
            return before;
        });
        long asOf = clock.millis();
        List<Checkpoint.File> files = new ArrayList<>();
        try (Stream<Path> children = Files.list(folder)) {
            for (Path file : children.sorted().toList()) {
                files.add(new OnDisk(file, BlobSource.of(file)));
            }
        }
        return new Checkpoint(sequence, asOf, files);
    }

    /** Removes what the last one, or one that a killed process made, left. */
    void discard() throws IOException {
        Folders.delete(folder);
    }

    private record OnDisk(Path file, BlobSource source) implements Checkpoint.File {
        @Override
        public String name() {
            return file.getFileName().toString();
        }

        @Override
        public String tail() throws IOException {
            try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
                byte[] tail = new byte[(int) Math.min(TAIL_BYTES, source.length())];
                in.seek(source.length() - tail.length);
                in.readFully(tail);
                return Sha256.of(tail).substring(0, 32);
            }
        }
    }
}
