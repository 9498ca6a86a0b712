package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.Sides.Side;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dictionaries of a folder. Those that records may need are in memory; new ones are trained in the background by one thread,
 * and are on disk, behind a flush, before the first value is compressed with them: a damaged log cannot take a dictionary
 * away from records that need it. One is forgotten when every partition that may hold its records is gone.
 *
 * <p>Bounds: {@value #MOST_CACHES} caches, each with some 700 KiB of native memory for its newest dictionary; {@value #MOST_DICTIONARIES}
 * dictionaries; {@link #MOST_SAMPLE_BYTES} of samples. Caches beyond that go without. Thread-safe.
 */
final class Dictionaries implements Compression, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Dictionaries.class);
    static final int MOST_CACHES = 64;
    static final int MOST_DICTIONARIES = 512;
    private static final long MOST_SAMPLE_BYTES = 32L << 20;
    private static final int SLICE = 16;

    /** Not the name of a dictionary but of the number of a partition: until it is gone, none is deleted that was there then. */
    private static final byte[] NEEDED = {'n'};

    private static final long END_MILLIS = 5_000;

    private final Predicate<String> compressed;
    private final PartitionedStore store;
    private final @Nullable KeyRing keys;
    private final CacheWatch.Limits limits;
    private final InstantSource clock;
    private final Counter tried;
    private final Counter trained;
    private final Counter corrupt;
    private final AtomicLong sampled = new AtomicLong();
    private final SecureRandom random = new SecureRandom();
    private final Map<String, CacheWatch> watches = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor trainer;
    private volatile Map<Integer, List<Dictionary>> byReference = Map.of();

    /**
     * @param compressed which caches' values are compressed
     * @param keys null for a plain folder
     */
    Dictionaries(
            Predicate<String> compressed,
            PartitionedStore store,
            @Nullable KeyRing keys,
            CacheWatch.Limits limits,
            InstantSource clock,
            MetricRegistry metrics) {
        this.compressed = compressed;
        this.store = store;
        this.keys = keys;
        this.limits = limits;
        this.clock = clock;
        this.tried = metrics.counter("l3.dictionaries.tried");
        this.trained = metrics.counter("l3.dictionaries.trained");
        this.corrupt = metrics.counter("l3.corrupt");
        this.trainer = new ThreadPoolExecutor(
                1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MOST_CACHES), Dictionaries::thread);
        trainer.allowCoreThreadTimeOut(true);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "terrace-l3-trainer");
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Takes in those of another folder, whose records come into the next partition. Before {@link #load}. As they come from folders that count
     * partitions otherwise, it is noted up to which partition all may be needed.
     */
    void take(List<Stored> others) throws RocksDBException, PartitionedStore.ClosedStore {
        if (others.isEmpty()) {
            return;
        }
        List<Stored> all = new ArrayList<>(others);
        byte[] until = new byte[Long.BYTES];
        Cursor.putNumber(until, 0, store.newestSequence() + 1, Long.BYTES);
        all.add(new Stored(NEEDED, until));
        store.sides().change(Side.DICTIONARIES, all, List.of());
        store.sides().flush(Side.DICTIONARIES);
    }

    /** Reads what the folder has. To be called once, before anything else. */
    void load() throws RocksDBException, PartitionedStore.ClosedStore {
        List<Dictionary> found = new ArrayList<>();
        long needed = 0;
        byte[] from = new byte[0];
        while (from != null) {
            PartitionedStore.Slice slice = store.sides().slice(Side.DICTIONARIES, from, SLICE);
            for (Stored stored : slice.records()) {
                if (Arrays.equals(stored.hash(), NEEDED)) {
                    needed = new Cursor(stored.record(), 0, stored.record().length).number(Long.BYTES);
                    continue;
                }
                Dictionary dictionary = DictionaryRecords.open(stored.hash(), stored.record(), keys);
                if (dictionary != null) {
                    found.add(dictionary);
                } else {
                    corrupt.inc();
                    LOG.error(
                            "backup dictionary cannot be read, values compressed with it are misses id={}",
                            HexFormat.of().formatHex(stored.hash()));
                }
            }
            from = slice.next();
        }
        // One under the data key in use is the one to go on with; those of other folders are not.
        found.sort(Comparator.comparing(this::isOfActiveKey)
                .thenComparingLong(Dictionary::sequence)
                .thenComparingLong(Dictionary::createdMillis));
        Map<String, Dictionary> newest = new HashMap<>();
        for (Dictionary dictionary : found) {
            dictionary.use(needed);
            Dictionary before = newest.put(dictionary.cache(), dictionary);
            if (before != null) {
                before.use(dictionary.sequence());
            }
        }
        newest.values().forEach(dictionary -> {
            dictionary.use(store.newestSequence());
            CacheWatch watch = watch(dictionary.cache());
            if (watch != null) {
                watch.use(dictionary);
            }
        });
        replace(found);
    }

    private boolean isOfActiveKey(Dictionary dictionary) {
        return keys == null || dictionary.dataKey() == keys.activeDataKey();
    }

    private synchronized void replace(List<Dictionary> all) {
        Map<Integer, List<Dictionary>> next = new HashMap<>();
        all.forEach(dictionary -> next.computeIfAbsent(dictionary.reference(), reference -> new ArrayList<>())
                .add(dictionary));
        byReference = Map.copyOf(next);
    }

    /** All that are known. */
    List<Dictionary> all() {
        return byReference.values().stream().flatMap(List::stream).toList();
    }

    private @Nullable CacheWatch watch(String cache) {
        CacheWatch known = watches.get(cache);
        if (known == null && watches.size() < MOST_CACHES) {
            known = watches.computeIfAbsent(cache, name -> new CacheWatch(name, limits, sampled));
        }
        return known;
    }

    @Override
    public boolean isFor(String cache) {
        return compressed.test(cache);
    }

    @Override
    public @Nullable Dictionary dictionary(String cache, long dataKey) {
        CacheWatch watch = watches.get(cache);
        Dictionary current = watch == null ? null : watch.current();
        if (current == null || current.dataKey() != dataKey) {
            return null;
        }
        current.use(store.newestSequence());
        return current;
    }

    @Override
    public List<Dictionary> named(int reference) {
        return byReference.getOrDefault(reference, List.of());
    }

    @Override
    public void observe(
            String cache, byte[] plain, int length, int packedLength, @Nullable Dictionary dictionary, long dataKey) {
        CacheWatch watch = watch(cache);
        if (watch == null) {
            return;
        }
        List<byte[]> sample = watch.observe(plain, length, packedLength, dictionary, dataKey);
        if (sample != null) {
            submit(watch, sample);
        }
        if (sampled.get() > MOST_SAMPLE_BYTES) {
            relieve();
        }
    }

    /** Slow caches must not keep memory that others wait for. */
    private void relieve() {
        CacheWatch largest = null;
        for (CacheWatch watch : watches.values()) {
            if (largest == null || watch.gatheredBytes() > largest.gatheredBytes()) {
                largest = watch;
            }
        }
        List<byte[]> early = largest == null ? null : largest.handEarly();
        if (largest != null && early != null) {
            submit(largest, early);
        }
    }

    private void submit(CacheWatch watch, List<byte[]> sample) {
        try {
            trainer.execute(() -> train(watch, sample));
        } catch (RejectedExecutionException e) {
            watch.keep(1000); // Closed meanwhile.
        }
    }

    private void train(CacheWatch watch, List<byte[]> sample) {
        tried.inc();
        int kept = 1000;
        try {
            DictionaryTraining.Result result = DictionaryTraining.train(sample, watch.current());
            kept = result.ratioPermille();
            byte[] content = result.dictionary();
            if (content != null && all().size() < MOST_DICTIONARIES) {
                watch.use(keep(watch.cache(), content, result.ratioPermille()));
                return;
            }
        } catch (RocksDBException e) {
            LOG.warn("backup dictionary cannot be written, the cache goes on without it cache={}", watch.cache(), e);
        } catch (PartitionedStore.ClosedStore e) {
            LOG.debug("backup was closed before a dictionary was written");
        } catch (RuntimeException e) {
            LOG.error("training a dictionary met a bug cache={}", watch.cache(), e);
        }
        watch.keep(kept);
    }

    private Dictionary keep(String cache, byte[] content, int ratioPermille)
            throws RocksDBException, PartitionedStore.ClosedStore {
        byte[] id = new byte[Dictionary.ID_BYTES];
        random.nextBytes(id);
        Dictionary fresh = new Dictionary(
                id,
                cache,
                keys == null ? 0 : keys.activeDataKey(),
                store.newestSequence(),
                clock.millis(),
                ratioPermille,
                content);
        store.sides()
                .change(Side.DICTIONARIES, List.of(new Stored(id, DictionaryRecords.seal(fresh, keys))), List.of());
        store.sides().flush(Side.DICTIONARIES);
        synchronized (this) {
            List<Dictionary> all = new ArrayList<>(all());
            all.add(fresh);
            replace(all);
        }
        trained.inc();
        LOG.info(
                "backup trained a dictionary cache={} bytes={} ratio_permille={}",
                cache,
                content.length,
                ratioPermille);
        return fresh;
    }

    /** Forgets those whose records are all gone. Belongs to the thread that drops partitions. */
    void retire(long oldestPartition) throws RocksDBException, PartitionedStore.ClosedStore {
        List<byte[]> gone = new ArrayList<>();
        List<Dictionary> kept = new ArrayList<>();
        synchronized (this) {
            for (Dictionary dictionary : all()) {
                // What was sealed just before a partition began is written into that one.
                boolean needed = dictionary.usedIn() + 1 >= oldestPartition;
                CacheWatch watch = watches.get(dictionary.cache());
                if (needed || watch != null && watch.current() == dictionary) {
                    kept.add(dictionary);
                } else {
                    gone.add(dictionary.id());
                }
            }
            if (gone.isEmpty()) {
                return;
            }
            replace(kept);
        }
        store.sides().change(Side.DICTIONARIES, List.of(), gone);
    }

    @Override
    public void close() {
        trainer.shutdownNow();
        try {
            if (!trainer.awaitTermination(END_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.warn("backup closes while a dictionary is trained, which is then thrown away");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
