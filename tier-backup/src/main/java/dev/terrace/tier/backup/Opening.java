package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens RocksDB strictly. A log that ends in the middle of a record is an ordinary crash and is tolerated; a damaged one
 * is copied aside first and then salvaged, aloud. What was lost is counted against the {@link HighWater} mark.
 *
 * <p>Damage to anything but the log refuses to open: setting the folder aside and starting empty would hide the loss of
 * a whole backup from the person who must decide.
 */
final class Opening {
    private static final Logger LOG = LoggerFactory.getLogger(Opening.class);

    /**
     * An open database.
     *
     * @param database the database
     * @param handles one per column family, the default one first
     * @param salvaged true when its log was damaged
     * @param lost writes that were synced once and are gone, at least; 0 when none is known
     */
    record Opened(RocksDB database, List<ColumnFamilyHandle> handles, boolean salvaged, long lost) {}

    private final Folder folder;
    private final NativeOptions options;
    private final HighWater highWater;
    private final long nowMillis;

    Opening(Folder folder, NativeOptions options, HighWater highWater, long nowMillis) {
        this.folder = folder;
        this.options = options;
        this.highWater = highWater;
        this.nowMillis = nowMillis;
    }

    /**
     * Opens it.
     *
     * @throws SetupException when it cannot be opened without losing more than its log
     */
    Opened open() throws IOException {
        refuseWithoutCurrent();
        HighWater.Mark expected = highWater.read();
        boolean cut = highWater.isManifestCut(expected);
        Opened opened;
        try {
            opened = attempt(WALRecoveryMode.TolerateCorruptedTailRecords);
        } catch (RocksDBException e) {
            if (!isCorruption(e) || logs().isEmpty()) {
                throw refusal(e);
            }
            opened = salvage(e);
        }
        // What a file held that the manifest no longer names, nobody knows.
        long lost = Math.max(cut ? 1 : 0, expected.sequence() - opened.database.getLatestSequenceNumber());
        if (opened.salvaged || lost > 0) {
            LOG.error(
                    "backup log was damaged, writes are lost folder={} salvaged={} manifest_cut={} lost_at_least={}",
                    folder.path(),
                    opened.salvaged,
                    cut,
                    lost);
        }
        highWater.write(opened.database.getLatestSequenceNumber());
        return new Opened(opened.database, opened.handles, opened.salvaged, lost);
    }

    /** RocksDB would start an empty database then, and delete the files it does not know. */
    private void refuseWithoutCurrent() throws IOException {
        Path database = folder.database();
        if (!Files.isDirectory(database) || Files.exists(database.resolve("CURRENT"))) {
            return;
        }
        try (Stream<Path> files = Files.list(database)) {
            if (files.anyMatch(file -> file.toString().endsWith(".sst") || holdsWrites(file))) {
                throw new SetupException(
                        "the database in " + database + " lacks its file CURRENT; nothing was changed", WAY_OUT);
            }
        }
    }

    private static boolean holdsWrites(Path file) {
        return file.toString().endsWith(".log") && file.toFile().length() > 0;
    }

    private static final String WAY_OUT = "restore the folder from a copy, or move it aside to start with an empty one";

    private Opened attempt(WALRecoveryMode mode) throws RocksDBException, IOException {
        Path database = folder.database();
        boolean create = !Files.exists(database.resolve("CURRENT"));
        refuseUnnoticed();
        List<ColumnFamilyDescriptor> families = create ? new ArrayList<>() : options.families(database);
        if (families.isEmpty()) {
            families.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, options.family()));
        }
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        Files.createDirectories(database);
        RocksDB opened = RocksDB.open(options.database(mode, create), database.toString(), families, handles);
        return new Opened(opened, handles, false, 0);
    }

    /** What RocksDB would not notice, or never come back from. */
    private void refuseUnnoticed() throws RocksDBException, IOException {
        List<Path> manifests = files(file -> file.getFileName().toString().startsWith("MANIFEST-"));
        List<Path> files = new ArrayList<>(logs());
        files.addAll(manifests);
        for (Path file : files) {
            if (!RecycledRecords.in(file).isEmpty()) {
                throw new RocksDBException(
                        "Corruption: in " + file.getFileName() + " the kind of a record was changed");
            }
        }
        for (Path file : manifests) {
            if (ManifestEnd.isHidden(file)) {
                throw new RocksDBException(
                        "Corruption: in " + file.getFileName() + " the length of a record was changed");
            }
        }
    }

    private Opened salvage(RocksDBException refused) throws IOException {
        Path aside = folder.path().resolve(Salvages.PREFIX + nowMillis);
        LOG.error(
                "backup log is damaged, salvaging it folder={} copied_to={} reason={}",
                folder.path(),
                aside,
                refused.getMessage());
        List<Path> logs = logs();
        Salvages.copy(logs, aside);
        for (Path log : logs) {
            if (!RecycledRecords.in(log).isEmpty()) {
                RecycledRecords.straighten(log);
            }
        }
        RocksDBException last = refused;
        // The first keeps everything up to the damage. It refuses when some column family is ahead of that point;
        // entries
        // are versioned and independent, so keeping whatever can be read is sound too.
        for (WALRecoveryMode mode :
                List.of(WALRecoveryMode.PointInTimeRecovery, WALRecoveryMode.SkipAnyCorruptedRecords)) {
            try {
                Opened opened = attempt(mode);
                return new Opened(opened.database, opened.handles, true, 0);
            } catch (RocksDBException e) {
                last = e;
            }
        }
        Salvages.deleteIfIntact(logs, aside);
        throw refusal(last);
    }

    private List<Path> logs() throws IOException {
        return files(file -> file.toString().endsWith(".log"));
    }

    private List<Path> files(Predicate<Path> which) throws IOException {
        if (!Files.isDirectory(folder.database())) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder.database())) {
            return files.filter(which).sorted().toList();
        }
    }

    private SetupException refusal(RocksDBException e) {
        if (isCorruption(e)) {
            return new SetupException(
                    "the database in " + folder.database() + " is damaged (" + e.getMessage()
                            + "); nothing was changed",
                    WAY_OUT,
                    e);
        }
        return folder.unusable(e);
    }

    /** True when RocksDB says that bytes are not what they were. */
    static boolean isCorruption(RocksDBException e) {
        Status status = e.getStatus();
        if (status == null) {
            String message = String.valueOf(e.getMessage());
            return message.contains("orruption");
        }
        return status.getCode() == Status.Code.Corruption;
    }
}
