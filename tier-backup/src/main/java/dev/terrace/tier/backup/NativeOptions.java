package dev.terrace.tier.backup;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rocksdb.AbstractNativeReference;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ChecksumType;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionOptionsUniversal;
import org.rocksdb.CompactionStyle;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;

/** How RocksDB is set up, and the native objects that must outlive the database. Bounds: about 100 MiB in all. */
final class NativeOptions implements AutoCloseable {
    private static final long BLOCK_CACHE_BYTES = 64L << 20;
    private static final long MEMTABLES_BYTES = 32L << 20;
    private static final long MEMTABLE_BYTES = 16L << 20;

    /**
     * Keys are hashes, so what changes is everywhere: levels would rewrite all that was written for each few megabytes, and a snapshot would send it
     * all again. Runs are merged only with their like.
     */
    private static final int MOST_RUNS = 16;

    private static final int RUN_RATIO_PERCENT = 10;
    /** Of what counts; more is merged away, and with it everything is rewritten. */
    private static final int MOST_GARBAGE_PERCENT = 100;

    private static final long LOG_BYTES = 64L << 20;
    private static final long KEPT_LOG_SECONDS = 3_600;
    private static final long KEPT_LOG_MIB = 256;

    private final List<AbstractNativeReference> owned = new ArrayList<>();
    private final ColumnFamilyOptions family;
    private final boolean keepsLog;

    NativeOptions() {
        this(false);
    }

    /** @param keepsLog whether the log stays a while after it has done its work, for who ships it; a gap costs a snapshot */
    NativeOptions(boolean keepsLog) {
        this(keepsLog, BLOCK_CACHE_BYTES);
    }

    /** For a database that is read from one end to the other, and needs so little to be kept. */
    static NativeOptions reading(long cacheBytes) {
        return new NativeOptions(false, cacheBytes);
    }

    private NativeOptions(boolean keepsLog, long cacheBytes) {
        this.keepsLog = keepsLog;
        RocksDB.loadLibrary();
        LRUCache cache = own(new LRUCache(cacheBytes));
        family = own(new ColumnFamilyOptions())
                .setCompressionType(
                        CompressionType.NO_COMPRESSION) // Records are compressed and random-looking already.
                .setWriteBufferSize(MEMTABLE_BYTES)
                .setCompactionStyle(CompactionStyle.UNIVERSAL)
                .setCompactionOptionsUniversal(own(new CompactionOptionsUniversal())
                        .setSizeRatio(RUN_RATIO_PERCENT)
                        .setMaxSizeAmplificationPercent(MOST_GARBAGE_PERCENT))
                .setLevel0FileNumCompactionTrigger(MOST_RUNS)
                .setLevel0SlowdownWritesTrigger(2 * MOST_RUNS)
                .setLevel0StopWritesTrigger(3 * MOST_RUNS)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(cache)
                        .setCacheIndexAndFilterBlocks(true)
                        .setPinL0FilterAndIndexBlocksInCache(true)
                        .setBlockSize(16 << 10)
                        .setFormatVersion(5)
                        .setChecksumType(ChecksumType.kxxHash64)
                        .setFilterPolicy(own(new BloomFilter(10))));
    }

    private <T extends AbstractNativeReference> T own(T reference) {
        owned.add(reference);
        return reference;
    }

    ColumnFamilyOptions family() {
        return family;
    }

    /** The column families of an existing database, with these settings. */
    List<ColumnFamilyDescriptor> families(Path database) throws RocksDBException {
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        try (Options listing = new Options()) {
            for (byte[] name : RocksDB.listColumnFamilies(listing, database.toString())) {
                families.add(new ColumnFamilyDescriptor(name, family));
            }
        }
        return families;
    }

    /** Settings for one attempt to open. */
    DBOptions database(WALRecoveryMode recovery, boolean create) {
        return own(new DBOptions())
                .setCreateIfMissing(create)
                .setWalRecoveryMode(recovery)
                .setDbWriteBufferSize(MEMTABLES_BYTES)
                .setMaxTotalWalSize(LOG_BYTES)
                .setWalTtlSeconds(keepsLog ? KEPT_LOG_SECONDS : 0)
                .setWalSizeLimitMB(keepsLog ? KEPT_LOG_MIB : 0)
                .setMaxOpenFiles(256)
                .setMaxBackgroundJobs(2)
                .setKeepLogFileNum(2)
                .setMaxLogFileSize(1 << 20)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL);
    }

    @Override
    public void close() {
        for (int i = owned.size() - 1; i >= 0; i--) {
            owned.get(i).close();
        }
    }
}
