package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.HintStore;
import dev.terrace.tier.backup.Sides.Side;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hints in a column family of their own, compressed and encrypted as entries are, outside the time partitions. One thread does
 * everything, in the order in which it was asked; a full queue refuses. The layout stands in {@code docs/format.md}.
 */
final class HintFamily implements HintStore, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HintFamily.class);
    private static final int QUEUE = 16_384;
    private static final long QUEUE_BYTES = 32L << 20;
    private static final int BATCH = 256;
    private static final int SLICE = 256;
    private static final int ZONE_BYTES = 8;
    private static final int SINCE_BYTES = 8;

    private final PartitionedStore store;
    private final Records records;
    private final KeyHash hash;
    private final Counter errors;
    private final Counter refused;
    private final Counter corrupt;
    private final BatchThread<Task> thread;
    private long queuedBytes;

    /** What the thread is to do; exactly one of the three. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Task(
            @Nullable Keep keep,
            byte @Nullable [] drop,
            @Nullable Runnable look) {}

    private record Keep(Hint hint, int bytes, CompletableFuture<Boolean> kept) {}

    /**
     * @param records seals with a sub-key that nothing else seals with
     */
    HintFamily(PartitionedStore store, Records records, KeyHash hash, MetricRegistry metrics) {
        this.store = store;
        this.records = records;
        this.hash = hash;
        this.errors = metrics.counter("l3.hints.errors");
        this.refused = metrics.counter("l3.hints.refused");
        this.corrupt = metrics.counter("l3.corrupt");
        this.thread = new BatchThread<>("terrace-l3-hints", new ArrayBlockingQueue<>(QUEUE), new Working());
    }

    /** Starts the thread; apart, so that it sees a finished object. */
    HintFamily start() {
        thread.start();
        return this;
    }

    @Override
    public CompletionStage<Boolean> keep(Hint hint) {
        int bytes = Envelope.length(hint.entry());
        CompletableFuture<Boolean> kept = new CompletableFuture<>();
        if (bytes < 0 || bytes > Records.MAX_ENVELOPE_BYTES || !take(bytes)) {
            refused.inc();
            return CompletableFuture.completedFuture(false);
        }
        if (!thread.offer(new Task(new Keep(hint, bytes, kept), null, null))) {
            give(bytes);
            refused.inc();
            return CompletableFuture.completedFuture(false);
        }
        return kept;
    }

    private synchronized boolean take(int bytes) {
        if (queuedBytes > 0 && queuedBytes + bytes > QUEUE_BYTES) {
            return false;
        }
        queuedBytes += bytes;
        return true;
    }

    private synchronized void give(int bytes) {
        queuedBytes -= bytes;
    }

    @Override
    public void drop(String zone, CacheKey key) {
        if (!thread.offer(new Task(null, nameOf(zone, key), null))) {
            refused.inc();
        }
    }

    @Override
    public CompletionStage<Map<CacheKey, Entry>> read(String zone, Collection<CacheKey> keys) {
        List<CacheKey> wanted = List.copyOf(keys);
        CompletableFuture<Map<CacheKey, Entry>> answer = new CompletableFuture<>();
        return look(answer, Map.of(), () -> {
            Map<CacheKey, Entry> found = new HashMap<>();
            for (CacheKey key : wanted) {
                byte[] name = nameOf(zone, key);
                byte[] value = store.sides().get(Side.HINTS, name);
                Hint hint = value == null ? null : open(zone, name, value);
                if (hint != null && hint.entry().key().equals(key)) {
                    found.put(key, hint.entry());
                }
            }
            return found;
        });
    }

    @Override
    public CompletionStage<Long> load(Collection<String> zones, Consumer<Hint> visitor) {
        Map<Long, String> known = new HashMap<>();
        zones.forEach(zone -> known.put(prefixOf(zone), zone));
        return look(new CompletableFuture<>(), 0L, () -> {
            long forgotten = 0;
            byte[] from = new byte[0];
            while (from != null && !thread.isClosed()) {
                PartitionedStore.Slice slice = store.sides().slice(Side.HINTS, from, SLICE);
                List<byte[]> rubbish = new ArrayList<>();
                for (PartitionedStore.Stored stored : slice.records()) {
                    String zone = stored.hash().length < ZONE_BYTES
                            ? null
                            : known.get(ByteBuffer.wrap(stored.hash()).getLong());
                    Hint hint = zone == null ? null : open(zone, stored.hash(), stored.record());
                    if (hint == null) {
                        rubbish.add(stored.hash());
                    } else {
                        visitor.accept(hint);
                    }
                }
                store.sides().change(Side.HINTS, List.of(), rubbish);
                forgotten += rubbish.size();
                from = slice.next();
            }
            return forgotten;
        });
    }

    /** Something that reads. */
    private interface Question<T> {
        T answer() throws RocksDBException, PartitionedStore.ClosedStore;
    }

    private <T> CompletionStage<T> look(CompletableFuture<T> answer, T nothing, Question<T> question) {
        Runnable task = () -> {
            try {
                answer.complete(question.answer());
            } catch (RocksDBException e) {
                errors.inc();
                LOG.warn("hints cannot be read", e);
                answer.complete(nothing);
            } catch (PartitionedStore.ClosedStore e) {
                answer.complete(nothing);
            } catch (RuntimeException e) {
                LOG.error("reading hints met a bug", e);
                answer.complete(nothing);
            }
        };
        if (!thread.offer(new Task(null, null, task))) {
            answer.complete(nothing);
        }
        return answer;
    }

    private long prefixOf(String zone) {
        return ByteBuffer.wrap(hash.of(CacheKey.of("zone", zone))).getLong();
    }

    private byte[] nameOf(String zone, CacheKey key) {
        return ByteBuffer.allocate(ZONE_BYTES + KeyHash.BYTES)
                .putLong(prefixOf(zone))
                .put(hash.of(key))
                .array();
    }

    /** What a record is bound to: where it lies, and since when. */
    private static byte[] bound(byte[] name, long sinceMillis) {
        return ByteBuffer.allocate(name.length + SINCE_BYTES)
                .put(name)
                .putLong(sinceMillis)
                .array();
    }

    private PartitionedStore.Stored seal(Hint hint) {
        byte[] name = nameOf(hint.zone(), hint.entry().key());
        byte[] record = records.seal(bound(name, hint.sinceMillis()), hint.entry());
        byte[] value = ByteBuffer.allocate(SINCE_BYTES + record.length)
                .putLong(hint.sinceMillis())
                .put(record)
                .array();
        return new PartitionedStore.Stored(name, value);
    }

    private @Nullable Hint open(String zone, byte[] name, byte[] value) {
        if (value.length < SINCE_BYTES) {
            corrupt.inc();
            return null;
        }
        long since = ByteBuffer.wrap(value).getLong();
        Entry entry = records.open(bound(name, since), Arrays.copyOfRange(value, SINCE_BYTES, value.length));
        if (entry == null) {
            corrupt.inc();
            return null;
        }
        return new Hint(zone, entry, since);
    }

    /** What the thread does. */
    private final class Working implements BatchThread.Work<Task> {
        @Override
        public void gather(BlockingQueue<Task> queue, List<Task> batch) {
            queue.drainTo(batch, BATCH - 1);
        }

        @Override
        public void run(List<Task> batch) {
            carryOut(batch);
        }
    }

    /** Changes go together until somebody wants to read. */
    private void carryOut(List<Task> batch) {
        Map<Name, Task> changes = new HashMap<>();
        List<Task> overtaken = new ArrayList<>();
        for (Task task : batch) {
            if (task.look() != null) {
                write(changes, overtaken);
                task.look().run();
                continue;
            }
            Keep keep = task.keep();
            byte[] name = keep == null
                    ? task.drop()
                    : nameOf(keep.hint().zone(), keep.hint().entry().key());
            Task before = name == null ? null : changes.put(new Name(ByteBuffer.wrap(name)), task);
            if (before != null) {
                overtaken.add(before);
            }
        }
        write(changes, overtaken);
    }

    /** A byte array that can be a map's key. */
    private record Name(ByteBuffer bytes) {}

    private void write(Map<Name, Task> changes, List<Task> overtaken) {
        if (changes.isEmpty()) {
            return;
        }
        List<PartitionedStore.Stored> kept = new ArrayList<>();
        List<byte[]> dropped = new ArrayList<>();
        boolean written = false;
        try {
            for (Task change : changes.values()) {
                Keep keep = change.keep();
                byte[] drop = change.drop();
                if (keep != null) {
                    kept.add(seal(keep.hint()));
                } else if (drop != null) {
                    dropped.add(drop);
                }
            }
            store.sides().change(Side.HINTS, kept, dropped);
            written = true;
        } catch (RocksDBException e) {
            errors.inc();
            LOG.warn("hints cannot be written, they live in memory only changes={}", changes.size(), e);
        } catch (PartitionedStore.ClosedStore e) {
            LOG.debug("hints were changed after closing", e);
        } catch (RuntimeException e) {
            errors.inc();
            LOG.error("writing hints met a bug", e);
        }
        for (Collection<Task> tasks : List.of(changes.values(), overtaken)) {
            for (Task task : tasks) {
                Keep keep = task.keep();
                if (keep != null) {
                    give(keep.bytes());
                    keep.kept().complete(written);
                }
            }
        }
        changes.clear();
        overtaken.clear();
    }

    /** Does what was asked for, within a bound. Idempotent. */
    @Override
    public void close() {
        for (Task task : thread.close()) {
            Keep keep = task.keep();
            Runnable look = task.look();
            if (keep != null) {
                keep.kept().complete(false);
            } else if (look != null) {
                look.run();
            }
        }
    }
}
