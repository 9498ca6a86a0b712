package dev.terrace.benchmarks;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdDictCompress;
import com.github.luben.zstd.ZstdDictDecompress;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.RocksTierProvider;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ChecksumType;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionOptionsUniversal;
import org.rocksdb.CompactionStyle;
import org.rocksdb.CompressionOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** What {@link L3Benchmark} measures: stores of documents under 16 bytes each. */
final class L3Contenders {
    private L3Contenders() {}

    /** Written to by one thread, read by several. */
    interface Store extends AutoCloseable {
        /** Documents {@code from} and the {@link BackupFolder#BATCH} that follow it. */
        void write(byte[][] keys, byte[][] values, int from) throws Exception;

        /** Returns when all is written. */
        void flush() throws Exception;

        byte[] read(byte[] key, int number) throws Exception;

        /** Where its RocksDB lies, once it is closed. */
        Path database();

        @Override
        void close() throws Exception;
    }

    /** RocksDB's own compression. */
    enum Own {
        NONE,
        ZSTD,
        ZSTD_WITH_DICTIONARY
    }

    /** As L3 sets RocksDB up, but for the compression. */
    static ColumnFamilyOptions family(Own compression) {
        ColumnFamilyOptions options = new ColumnFamilyOptions()
                .setWriteBufferSize(16 << 20)
                .setCompressionType(
                        compression == Own.NONE ? CompressionType.NO_COMPRESSION : CompressionType.ZSTD_COMPRESSION)
                .setCompactionStyle(CompactionStyle.UNIVERSAL)
                .setCompactionOptionsUniversal(
                        new CompactionOptionsUniversal().setSizeRatio(10).setMaxSizeAmplificationPercent(100))
                .setLevel0FileNumCompactionTrigger(16)
                .setLevel0SlowdownWritesTrigger(32)
                .setLevel0StopWritesTrigger(48)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(new LRUCache(64 << 20))
                        .setCacheIndexAndFilterBlocks(true)
                        .setPinL0FilterAndIndexBlocksInCache(true)
                        .setBlockSize(16 << 10)
                        .setFormatVersion(5)
                        .setChecksumType(ChecksumType.kxxHash64)
                        .setFilterPolicy(new BloomFilter(10)));
        if (compression == Own.ZSTD_WITH_DICTIONARY) {
            options.setCompressionOptions(
                    new CompressionOptions().setMaxDictBytes(64 << 10).setZStdMaxTrainBytes(6 << 20));
        }
        return options;
    }

    static DBOptions options() {
        return new DBOptions()
                .setCreateIfMissing(true)
                .setDbWriteBufferSize(32L << 20)
                .setMaxTotalWalSize(64L << 20)
                .setMaxOpenFiles(256)
                .setMaxBackgroundJobs(2);
    }

    /** RocksDB with a compression of its own, over bare documents. */
    static class Plain implements Store {
        private final Path folder;
        private final ColumnFamilyOptions family;
        private final Options options;
        private final WriteOptions writing = new WriteOptions();
        private final RocksDB database;

        Plain(Path folder, Own compression) throws RocksDBException {
            this.folder = folder;
            family = family(compression);
            options = new Options(options(), family);
            database = RocksDB.open(options, folder.toString());
        }

        byte[] pack(byte[] value, byte[] key) throws GeneralSecurityException {
            return value;
        }

        byte[] unpack(byte[] record, byte[] key) throws GeneralSecurityException {
            return record;
        }

        @Override
        public void write(byte[][] keys, byte[][] values, int from) throws Exception {
            try (WriteBatch batch = new WriteBatch()) {
                for (int i = from; i < from + BackupFolder.BATCH; i++) {
                    batch.put(keys[i], pack(values[i], keys[i]));
                }
                database.write(writing, batch);
            }
        }

        @Override
        public void flush() {}

        @Override
        public byte[] read(byte[] key, int number) throws Exception {
            return unpack(database.get(key), key);
        }

        @Override
        public Path database() {
            return folder;
        }

        @Override
        public void close() {
            database.close();
            options.close();
            family.close();
            writing.close();
        }
    }

    /** The stages of L3 on one thread, without anything that decides, waits or remembers. */
    static final class ByHand extends Plain {
        private static final int LEVEL = 3;
        private static final int TAG_BITS = 128;

        private final ZstdCompressCtx compress = new ZstdCompressCtx();
        private final ZstdDictDecompress expanding;
        private final ThreadLocal<ZstdDecompressCtx> decompress;
        private final ThreadLocal<Cipher> ciphers = ThreadLocal.withInitial(ByHand::cipher);
        private final SecretKeySpec secret = new SecretKeySpec(new byte[32], "AES");
        private long counter;

        ByHand(Path folder, byte[] dictionary) throws Exception {
            super(folder, Own.NONE);
            compress.loadDict(new ZstdDictCompress(dictionary, LEVEL));
            expanding = new ZstdDictDecompress(dictionary);
            decompress = ThreadLocal.withInitial(() -> new ZstdDecompressCtx().loadDict(expanding));
        }

        private static Cipher cipher() {
            try {
                return Cipher.getInstance("AES/GCM/NoPadding");
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK has AES/GCM", e);
            }
        }

        private static GCMParameterSpec nonce(long counter) {
            return new GCMParameterSpec(
                    TAG_BITS, ByteBuffer.allocate(12).putLong(4, counter).array());
        }

        @Override
        byte[] pack(byte[] value, byte[] key) throws GeneralSecurityException {
            byte[] packed = compress.compress(value);
            ByteBuffer record =
                    ByteBuffer.allocate(8 + packed.length + TAG_BITS / 8).putLong(counter);
            Cipher cipher = ciphers.get();
            cipher.init(Cipher.ENCRYPT_MODE, secret, nonce(counter++));
            cipher.updateAAD(key);
            cipher.doFinal(packed, 0, packed.length, record.array(), 8);
            return record.array();
        }

        @Override
        byte[] unpack(byte[] record, byte[] key) throws GeneralSecurityException {
            Cipher cipher = ciphers.get();
            cipher.init(
                    Cipher.DECRYPT_MODE, secret, nonce(ByteBuffer.wrap(record).getLong()));
            cipher.updateAAD(key);
            byte[] packed = cipher.doFinal(record, 8, record.length - 8);
            return decompress.get().decompress(packed, (int) Zstd.getFrameContentSize(packed));
        }

        @Override
        public void close() {
            super.close();
            compress.close(); // What readers use is theirs until they are gone.
        }
    }

    /** The tier, as the coordinator calls it: entries, versions, futures. */
    static final class Terrace implements Store {
        /** Batches under way; together fewer entries than the queue holds. */
        private static final int WINDOW = 32;

        private final CacheKey[] keys;
        private final Path database;
        private final Tier tier;
        private final Queue<CompletableFuture<List<StoreOutcome>>> underWay = new ArrayDeque<>();

        /** @param keys made before anything is measured, as those of the others are */
        Terrace(Path home, boolean encrypted, CacheKey[] keys) throws IOException {
            this.keys = keys;
            BackupStorageSettings settings = BackupFolder.settings(home, encrypted);
            database = settings.path().resolve("db");
            tier = new RocksTierProvider().open(new TestContext(InstantSource.system(), settings));
        }

        @Override
        public void write(byte[][] keys, byte[][] values, int from) {
            List<Entry> entries = new ArrayList<>(BackupFolder.BATCH);
            for (int i = from; i < from + BackupFolder.BATCH; i++) {
                entries.add(BackupFolder.entry(this.keys[i], values[i]));
            }
            underWay.add(tier.putAll(entries).toCompletableFuture());
            if (underWay.size() > WINDOW) {
                BackupFolder.requireApplied(underWay.remove().join());
            }
        }

        @Override
        public void flush() {
            while (!underWay.isEmpty()) {
                BackupFolder.requireApplied(underWay.remove().join());
            }
        }

        @Override
        public byte[] read(byte[] key, int number) {
            Lookup found = tier.get(keys[number]).toCompletableFuture().join();
            return found instanceof Lookup.Hit hit ? hit.entry().payload() : new byte[0];
        }

        @Override
        public Path database() {
            return database;
        }

        @Override
        public void close() {
            tier.close();
        }
    }
}
