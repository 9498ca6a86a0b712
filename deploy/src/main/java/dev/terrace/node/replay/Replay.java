package dev.terrace.node.replay;

import dev.terrace.api.Cache;
import dev.terrace.api.ClosedException;
import dev.terrace.api.InterruptedCallException;
import dev.terrace.api.ReadResult;
import dev.terrace.api.TerraceException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Reads every key of a trace through a cache: one thread reads the file, several read the cache. Requests stay in the
 * order of the file up to the batches that are under way at once.
 */
final class Replay {
    private static final int BATCH = 64;
    private static final long OFFER_MILLIS = 200;

    private final TraceFile trace;
    private final Cache<String, byte[]> cache;
    private final Origin origin;
    private final int threads;
    private final LongAdder done = new LongAdder();

    /** One of the first; which one does not matter. */
    private volatile String firstFailure = "";

    private volatile boolean stopped;

    Replay(TraceFile trace, Cache<String, byte[]> cache, Origin origin, int threads) {
        this.trace = trace;
        this.cache = cache;
        this.origin = origin;
        this.threads = threads;
    }

    /**
     * What came out.
     *
     * @param requests keys read from the trace
     * @param tally what the reads saw
     * @param nanos how long it took
     * @param firstFailure why the first failed read failed; empty when none did
     */
    record Outcome(long requests, Tally tally, long nanos, String firstFailure) {}

    /** Ends the trace where it is; {@link #run} returns once what was handed out is answered. */
    void stop() {
        stopped = true;
    }

    /** Requests answered so far. */
    long done() {
        return done.sum();
    }

    /** Runs it, at most {@code limit} requests. */
    Outcome run(long limit) throws InterruptedException {
        BlockingQueue<List<String>> batches = new ArrayBlockingQueue<>(2 * threads);
        ExecutorService readers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "terrace-replay");
            thread.setDaemon(true);
            return thread;
        });
        long started = System.nanoTime();
        try {
            List<Future<Tally>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                running.add(readers.submit(() -> read(batches)));
            }
            long requests = feed(batches, running, limit);
            Tally sum = new Tally();
            for (Future<Tally> reader : running) {
                sum.add(result(reader));
            }
            return new Outcome(requests, sum, System.nanoTime() - started, firstFailure);
        } finally {
            readers.shutdownNow();
        }
    }

    private long feed(BlockingQueue<List<String>> batches, List<Future<Tally>> readers, long limit)
            throws InterruptedException {
        long requests = 0;
        List<String> batch = new ArrayList<>(BATCH);
        String key;
        while (!stopped && requests < limit && (key = trace.next()) != null) {
            requests++;
            batch.add(key);
            if (batch.size() == BATCH) {
                hand(batch, batches, readers);
                batch = new ArrayList<>(BATCH);
            }
        }
        if (!batch.isEmpty()) {
            hand(batch, batches, readers);
        }
        for (int i = 0; i < threads; i++) {
            hand(List.of(), batches, readers); // the end, once for each
        }
        return requests;
    }

    private static void hand(List<String> batch, BlockingQueue<List<String>> batches, List<Future<Tally>> readers)
            throws InterruptedException {
        while (!batches.offer(batch, OFFER_MILLIS, TimeUnit.MILLISECONDS)) {
            for (Future<Tally> reader : readers) {
                if (reader.isDone()) {
                    result(reader); // A bug ended it: say so instead of waiting for room.
                }
            }
        }
    }

    private static Tally result(Future<Tally> reader) throws InterruptedException {
        try {
            return reader.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException bug ? bug : new IllegalStateException(e.getCause());
        }
    }

    private Tally read(BlockingQueue<List<String>> batches) throws InterruptedException {
        Tally tally = new Tally();
        for (List<String> batch = batches.take(); !batch.isEmpty(); batch = batches.take()) {
            for (String key : batch) {
                readOne(key, tally);
            }
            done.add(batch.size());
        }
        return tally;
    }

    private void readOne(String key, Tally tally) {
        long started = System.nanoTime();
        try {
            ReadResult<byte[]> result = cache.read(key, origin);
            tally.answered(result.source(), System.nanoTime() - started);
            byte[] value = result.value();
            if (value == null || !origin.made(key, value)) {
                tally.wrong();
            }
        } catch (ClosedException | InterruptedCallException e) {
            throw e;
        } catch (TerraceException e) {
            tally.failed();
            if (firstFailure.isEmpty()) {
                firstFailure = String.valueOf(e.getMessage());
            }
        }
    }
}
