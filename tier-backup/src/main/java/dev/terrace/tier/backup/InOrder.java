package dev.terrace.tier.backup;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Opens and seals records on several threads, and hands on what comes out in the order of what went in. At most {@value #CHUNKS_AHEAD} chunks
 * of {@value #CHUNK} are under way. For one thread.
 *
 * @param <I> what goes in
 * @param <O> what comes out
 */
final class InOrder<I, O> implements AutoCloseable {
    private static final int CHUNK = 256;
    private static final int CHUNKS_AHEAD = 6;
    private static final int MOST_THREADS = 4;
    private static final long CHUNK_SECONDS = 300;

    /** What is done to each; null drops it. On any thread. */
    interface Step<I, O> {
        @Nullable
        O of(I in) throws RocksDBException, PartitionedStore.ClosedStore;
    }

    /** Is told what comes out, in order. On the owner's thread. */
    interface Sink<O> {
        void take(O out) throws RocksDBException, IOException, PartitionedStore.ClosedStore;
    }

    private final Step<I, O> step;
    private final Sink<O> sink;
    private final ExecutorService pool;
    private final Deque<Future<List<O>>> underWay = new ArrayDeque<>();
    private List<I> chunk = new ArrayList<>(CHUNK);

    InOrder(Step<I, O> step, Sink<O> sink) {
        this.step = step;
        this.sink = sink;
        int threads = Math.max(1, Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()));
        this.pool = Executors.newFixedThreadPool(threads, task -> Records.thread(task, "terrace-l3-merge"));
    }

    void add(I in) throws RocksDBException, IOException, PartitionedStore.ClosedStore {
        chunk.add(in);
        if (chunk.size() == CHUNK) {
            submit();
        }
    }

    /** Everything has been handed on when this returns. */
    void end() throws RocksDBException, IOException, PartitionedStore.ClosedStore {
        submit();
        while (!underWay.isEmpty()) {
            drainOne();
        }
    }

    private void submit() throws RocksDBException, IOException, PartitionedStore.ClosedStore {
        List<I> mine = chunk;
        chunk = new ArrayList<>(CHUNK);
        underWay.add(pool.submit(() -> {
            List<O> all = new ArrayList<>(mine.size());
            for (I in : mine) {
                O out = step.of(in);
                if (out != null) {
                    all.add(out);
                }
            }
            return all;
        }));
        while (underWay.size() > CHUNKS_AHEAD) {
            drainOne();
        }
    }

    private void drainOne() throws RocksDBException, IOException, PartitionedStore.ClosedStore {
        try {
            for (O out : underWay.remove().get(CHUNK_SECONDS, TimeUnit.SECONDS)) {
                sink.take(out);
            }
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof RocksDBException storage) {
                throw storage;
            }
            if (cause instanceof PartitionedStore.ClosedStore closed) {
                throw closed;
            }
            throw new IllegalStateException("records could not be opened or sealed", cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (TimeoutException e) {
            throw new IOException("records could not be opened or sealed within " + CHUNK_SECONDS + " s", e);
        }
    }

    @Override
    public void close() {
        pool.shutdownNow();
    }
}
