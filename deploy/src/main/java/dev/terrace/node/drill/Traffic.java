package dev.terrace.node.drill;

import dev.terrace.spi.Version;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Live traffic of a drill: one thread writes durably, one reads and judges what it gets, {@value #WRITES_PER_SECOND} and {@value
 * #READS_PER_SECOND} times a second at most. Goes on while nodes are away. What {@link #totals} says is whole once it is closed.
 */
final class Traffic implements AutoCloseable {
    private static final int WRITES_PER_SECOND = 100;
    private static final int READS_PER_SECOND = 200;
    private static final long BUCKET_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long END_MILLIS = 30_000;

    private final NodeCalls node;
    private final Ledger ledger;
    private final long seed;
    private final long beganNanos;
    private final List<Thread> threads = new ArrayList<>();
    private final List<int[]> buckets = new ArrayList<>();
    private final Map<Count, Long> counts = new EnumMap<>(Count.class);
    private volatile boolean over;

    /** What is counted. */
    enum Count {
        READS,
        READS_FAILED,
        READS_STALE,
        READS_WRONG,
        WRITES,
        WRITES_FAILED
    }

    /**
     * What happened within a quarter of a second.
     *
     * @param atMillis since the drill's beginning
     * @param answered calls that were
     * @param failed calls that were not
     */
    record Bucket(long atMillis, int answered, int failed) {}

    /** What happened in all. */
    record Totals(long reads, long readsFailed, long readsStale, long readsWrong, long writes, long writesFailed) {}

    Traffic(NodeCalls node, Ledger ledger, long seed, long beganNanos) {
        this.node = node;
        this.ledger = ledger;
        this.seed = seed;
        this.beganNanos = beganNanos;
    }

    Traffic start() {
        threads.add(new Thread(() -> repeat(seed + 1, WRITES_PER_SECOND, this::write), "drill-writer"));
        threads.add(new Thread(() -> repeat(seed + 2, READS_PER_SECOND, this::read), "drill-reader"));
        threads.forEach(thread -> {
            thread.setDaemon(true);
            thread.start();
        });
        return this;
    }

    /** One call of a key. */
    private interface Call {
        void make(int index) throws IOException, InterruptedException;
    }

    private void repeat(long randomSeed, int perSecond, Call call) {
        SplittableRandom random = new SplittableRandom(randomSeed);
        long pause = TimeUnit.SECONDS.toNanos(1) / perSecond;
        long next = System.nanoTime();
        while (!over) {
            try {
                call.make(random.nextInt(ledger.entries()));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            next = Math.max(next + pause, System.nanoTime() - pause);
            while (next - System.nanoTime() > 0 && !over) {
                LockSupport.parkNanos(next - System.nanoTime());
            }
        }
    }

    private void write(int index) throws InterruptedException {
        int number = ledger.next(index);
        Version version = null;
        try {
            version = node.put(index, ledger.values().of(index, number));
        } catch (IOException notAcknowledged) {
            // Whether it was done is not known; it counts as failed, and what is found may be it.
        }
        if (version != null) {
            ledger.acknowledged(index, new Ledger.Ack(number, version, System.nanoTime()));
        }
        count(version != null, Count.WRITES, version != null ? null : Count.WRITES_FAILED);
    }

    private void read(int index) throws InterruptedException {
        int acknowledged = ledger.lastAcknowledged(index);
        NodeCalls.Answer answer;
        try {
            answer = node.get(index, "").get();
        } catch (ExecutionException e) {
            answer = new NodeCalls.Answer(0, null, null);
        }
        byte[] value = answer.value();
        if (value == null) {
            count(false, Count.READS, Count.READS_FAILED);
            return;
        }
        int number = ledger.values().number(index, value);
        count(true, Count.READS, number == 0 ? Count.READS_WRONG : number < acknowledged ? Count.READS_STALE : null);
    }

    private synchronized void count(boolean answered, Count one, @Nullable Count more) {
        counts.merge(one, 1L, Long::sum);
        if (more != null) {
            counts.merge(more, 1L, Long::sum);
        }
        int bucket = (int) ((System.nanoTime() - beganNanos) / BUCKET_NANOS);
        while (buckets.size() <= bucket) {
            buckets.add(new int[2]);
        }
        buckets.get(bucket)[answered ? 0 : 1]++;
    }

    synchronized Totals totals() {
        return new Totals(
                of(Count.READS),
                of(Count.READS_FAILED),
                of(Count.READS_STALE),
                of(Count.READS_WRONG),
                of(Count.WRITES),
                of(Count.WRITES_FAILED));
    }

    private long of(Count one) {
        return counts.getOrDefault(one, 0L);
    }

    synchronized List<Bucket> buckets() {
        List<Bucket> all = new ArrayList<>();
        for (int i = 0; i < buckets.size(); i++) {
            long at = TimeUnit.NANOSECONDS.toMillis(i * BUCKET_NANOS);
            all.add(new Bucket(at, buckets.get(i)[0], buckets.get(i)[1]));
        }
        return all;
    }

    /** Ends it, and waits until the last calls have ended. */
    @Override
    public void close() {
        over = true;
        threads.forEach(LockSupport::unpark);
        for (Thread thread : threads) {
            try {
                thread.join(END_MILLIS);
            } catch (InterruptedException e) {
                threads.forEach(Thread::interrupt);
                Thread.currentThread().interrupt();
            }
        }
    }
}
