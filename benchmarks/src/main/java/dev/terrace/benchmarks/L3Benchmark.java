package dev.terrace.benchmarks;

import com.github.luben.zstd.Zstd;
import dev.terrace.benchmarks.L3Contenders.Own;
import dev.terrace.benchmarks.L3Contenders.Store;
import dev.terrace.spi.CacheKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * L3 against the stages it is made of, called by hand, and against RocksDB with a compression of its own, in one run over the same documents, all with
 * RocksDB set up alike: writes in batches of 100, bytes per entry in files once all is merged, then point reads by Zipf's law, by one caller and by
 * several. One after the other, every second round backwards; sums over the rounds count.
 *
 * <p>Arguments: documents (1000000), rounds (1).
 */
public final class L3Benchmark {
    private static final int READS = 96_000;
    private static final int CALLERS = 8;
    private static final int WARM = 100_000;
    private static final int DICTIONARY_BYTES = 64 << 10;
    private static final int SAMPLES = 2_000;

    private final byte[][] keys;
    private final CacheKey[] cacheKeys;
    private final byte[][] values;
    private final int[] order;

    private L3Benchmark(int count) {
        keys = new byte[count][];
        cacheKeys = new CacheKey[count];
        values = new byte[count][];
        SplittableRandom random = new SplittableRandom(42);
        for (int i = 0; i < count; i++) {
            keys[i] = new byte[16];
            random.nextBytes(keys[i]);
            cacheKeys[i] = BackupFolder.key(i);
            values[i] = Documents.document(i);
        }
        order = Arrays.copyOf(Workload.zipf(count, 7), READS);
    }

    private interface Opening {
        Store open(Path folder) throws Exception;
    }

    /** One of those that are compared, and what it has done so far. */
    private static final class Contender {
        private final String name;
        private final Own compression;
        private final Opening opening;
        private double writeSeconds;
        private double writeProcessorSeconds;
        private double readSeconds;
        private double togetherSeconds;
        private double bytesEach;

        Contender(String name, Own compression, Opening opening) {
            this.name = name;
            this.compression = compression;
            this.opening = opening;
        }
    }

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1;
        RocksDB.loadLibrary();
        new L3Benchmark(count / BackupFolder.BATCH * BackupFolder.BATCH).run(rounds);
    }

    private byte[] trained() {
        byte[] dictionary = new byte[DICTIONARY_BYTES];
        long length = Zstd.trainFromBuffer(Arrays.copyOf(values, Math.min(values.length, SAMPLES)), dictionary, false);
        return Arrays.copyOf(dictionary, (int) length);
    }

    private void run(int rounds) throws Exception {
        byte[] dictionary = trained();
        Contender byHand =
                new Contender("by hand: zstd, GCM, put", Own.NONE, at -> new L3Contenders.ByHand(at, dictionary));
        Contender own = new Contender(
                "RocksDB ZSTD with dictionary",
                Own.ZSTD_WITH_DICTIONARY,
                at -> new L3Contenders.Plain(at, Own.ZSTD_WITH_DICTIONARY));
        Contender zstd = new Contender("RocksDB ZSTD", Own.ZSTD, at -> new L3Contenders.Plain(at, Own.ZSTD));
        Contender sealed =
                new Contender("L3, encrypted", Own.NONE, at -> new L3Contenders.Terrace(at, true, cacheKeys));
        Contender open = new Contender("L3, plain", Own.NONE, at -> new L3Contenders.Terrace(at, false, cacheKeys));
        List<Contender> all = List.of(byHand, own, zstd, sealed, open);
        for (Contender one : all) {
            warm(one);
        }
        List<Contender> backwards = new ArrayList<>(all);
        Collections.reverse(backwards);
        for (int round = 0; round < rounds; round++) {
            round(round % 2 == 0 ? all : backwards);
        }
        double documents = (double) values.length * rounds;
        for (Contender one : all) {
            System.out.printf(
                    Locale.ROOT,
                    "%-30s writes %,9.0f/s   reads %,9.0f/s, by %d callers %,9.0f/s   %.1f bytes each%n",
                    one.name,
                    documents / one.writeSeconds,
                    (double) READS * rounds / one.readSeconds,
                    CALLERS,
                    (double) READS * rounds / one.togetherSeconds,
                    one.bytesEach);
        }
        Targets targets = new Targets();
        targets.atLeast("writes: L3 to the stages by hand", byHand.writeSeconds / sealed.writeSeconds, 0.85);
        targets.atLeast("writes: L3 to RocksDB ZSTD with dictionary", own.writeSeconds / sealed.writeSeconds, 1);
        targets.atMost("bytes: L3 to RocksDB ZSTD with dictionary", sealed.bytesEach / own.bytesEach, 1.15);
        targets.atMost(
                "writes: processor time with encryption to without",
                sealed.writeProcessorSeconds / open.writeProcessorSeconds,
                1.10);
        targets.note("writes: time with encryption to without", sealed.writeSeconds / open.writeSeconds);
        targets.note(
                "writes: processor time of L3 to the stages by hand",
                sealed.writeProcessorSeconds / byHand.writeProcessorSeconds);
        targets.atLeast("point reads, zipf, 1 caller: L3 to RocksDB ZSTD", zstd.readSeconds / sealed.readSeconds, 1);
        targets.atLeast(
                "point reads, zipf, " + CALLERS + " callers: L3 to RocksDB ZSTD",
                zstd.togetherSeconds / sealed.togetherSeconds,
                1);
        targets.note("point reads, zipf, 1 caller: L3 to the stages by hand", byHand.readSeconds / sealed.readSeconds);
        targets.print("L3 with " + values.length + " documents");
    }

    /** None is measured while it is compiled. */
    private void warm(Contender one) throws Exception {
        try (Scratch scratch = Scratch.make("l3");
                Store store = one.opening.open(scratch.path())) {
            write(store, Math.min(keys.length, WARM));
        }
    }

    private void round(List<Contender> all) throws Exception {
        for (Contender one : all) {
            try (Scratch scratch = Scratch.make("l3")) {
                Path database;
                try (Store store = one.opening.open(scratch.path())) {
                    database = store.database();
                    double used = Figures.processorSeconds();
                    one.writeSeconds += write(store, keys.length);
                    one.writeProcessorSeconds += Figures.processorSeconds() - used;
                }
                one.bytesEach = (double) merged(database, one.compression) / values.length;
                try (Store store = one.opening.open(scratch.path())) {
                    read(store, 0, READS / 4);
                    one.readSeconds += read(store, 0, READS);
                    one.togetherSeconds += together(store);
                }
            }
            System.out.println(one.name + " measured; " + Figures.load());
        }
    }

    private double write(Store store, int count) throws Exception {
        long begin = System.nanoTime();
        for (int from = 0; from < count; from += BackupFolder.BATCH) {
            store.write(keys, values, from);
        }
        store.flush();
        return (System.nanoTime() - begin) / 1e9;
    }

    private double read(Store store, int from, int to) throws Exception {
        long wrong = 0;
        long begin = System.nanoTime();
        for (int i = from; i < to; i++) {
            int number = order[i];
            wrong += store.read(keys[number], number).length == values[number].length ? 0 : 1;
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        if (wrong > 0) {
            throw new IllegalStateException(wrong + " reads were wrong");
        }
        return seconds;
    }

    /** By several callers. */
    private double together(Store store) throws Exception {
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        long begin = System.nanoTime();
        try {
            List<Future<Double>> all = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                int from = READS / CALLERS * i;
                all.add(callers.submit(() -> read(store, from, from + READS / CALLERS)));
            }
            for (Future<Double> one : all) {
                one.get();
            }
        } finally {
            callers.shutdown();
        }
        return (System.nanoTime() - begin) / 1e9;
    }

    /** Bytes of table files when everything is where it ends up; the log aside. */
    private static long merged(Path database, Own compression) throws RocksDBException {
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        try (Options listing = new Options();
                ColumnFamilyOptions options = L3Contenders.family(compression)) {
            for (byte[] name : RocksDB.listColumnFamilies(listing, database.toString())) {
                families.add(new ColumnFamilyDescriptor(name, options));
            }
            List<ColumnFamilyHandle> handles = new ArrayList<>();
            long total = 0;
            try (DBOptions plain = L3Contenders.options();
                    RocksDB opened = RocksDB.open(plain, database.toString(), families, handles)) {
                for (ColumnFamilyHandle handle : handles) {
                    opened.compactRange(handle);
                    total += opened.getLongProperty(handle, "rocksdb.total-sst-files-size");
                    handle.close();
                }
            }
            return total;
        }
    }
}
