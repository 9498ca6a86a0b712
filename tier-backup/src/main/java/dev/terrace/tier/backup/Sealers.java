package dev.terrace.tier.backup;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that seal writes before the writer needs them, from the end of each batch, while it works from the front. Where there is one
 * processor there are none, and the writer seals alone. Only helping: what they do not come to is left to the writer.
 */
final class Sealers implements AutoCloseable {
    /** Waking a thread costs as much as sealing a few. */
    private static final int WORTH_WAKING = 8;

    private static final int MOST_THREADS = 3;
    private static final long END_MILLIS = 5_000;

    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Batch> batches = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    private static final class Batch {
        private final List<Write> writes;
        private final AtomicInteger left;

        Batch(List<Write> writes) {
            this.writes = writes;
            this.left = new AtomicInteger(writes.size());
        }

        /** Seals one. Returns false when all were begun. */
        boolean sealOne() {
            int at = left.decrementAndGet();
            if (at < 0) {
                return false;
            }
            writes.get(at).seal();
            return true;
        }
    }

    /** Starts them: one for each processor but one, at most {@value #MOST_THREADS}. */
    Sealers(int processors) {
        for (int i = 0; i < Math.min(MOST_THREADS, processors - 1); i++) {
            Thread thread = new Thread(this::run, "terrace-l3-sealer-" + i);
            thread.setDaemon(true);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
    }

    /** Helps with these; they must not be changed any more. */
    void help(List<Write> writes) {
        if (writes.size() < WORTH_WAKING || threads.isEmpty()) {
            return;
        }
        batches.add(new Batch(writes));
        threads.forEach(LockSupport::unpark);
    }

    private void run() {
        try {
            while (!closed) {
                Batch batch = batches.peek();
                if (batch == null) {
                    LockSupport.park(this);
                } else if (!batch.sealOne()) {
                    batches.remove(batch);
                }
            }
        } finally {
            Records.releaseThread();
        }
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(LockSupport::unpark);
        threads.forEach(thread -> ThreadEnd.await(thread, END_MILLIS));
        batches.clear();
    }
}
