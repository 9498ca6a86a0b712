package dev.terrace.tier.backup;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One daemon thread that does what it is asked in the order in which it was asked, many tasks at a time. Closing lets it do what was
 * asked, within a bound. Thread-safe.
 */
final class BatchThread<T> {
    private static final long IDLE_MILLIS = 100;
    private static final long DRAIN_MILLIS = 5_000;

    private final BlockingQueue<T> queue;
    private final Work<T> work;
    private final Thread thread;
    private volatile boolean closed;

    /** What is done with the tasks, on the thread. What it throws ends the thread. */
    interface Work<T> {
        /** Adds to {@code batch}, which has a first task, what goes together with it. */
        void gather(BlockingQueue<T> queue, List<T> batch) throws InterruptedException;

        void run(List<T> batch);

        /** Called after every batch, when nothing has come for {@link #idleMillis}, and once more in the end. */
        default void between(boolean closing) {}

        /** Longest to wait for a task before {@link #between} is called. */
        default long idleMillis() {
            return IDLE_MILLIS;
        }
    }

    /**
     * Does not start it.
     *
     * @param queue may be bounded; nobody else takes from it
     */
    BatchThread(String name, BlockingQueue<T> queue, Work<T> work) {
        this.queue = queue;
        this.work = work;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    /** Starts the thread; apart, so that it sees a finished object. */
    void start() {
        thread.start();
    }

    /** Has {@code task} done; false when the queue is full, or everything is closed. */
    boolean offer(T task) {
        if (closed || !queue.offer(task)) {
            return false;
        }
        // Offered while it was being closed: nobody may be there any more to take it.
        return !closed || thread.isAlive() || !queue.remove(task);
    }

    boolean isClosed() {
        return closed;
    }

    private void run() {
        try {
            work();
        } finally {
            Records.releaseThread();
        }
    }

    private void work() {
        List<T> batch = new ArrayList<>();
        while (true) {
            batch.clear();
            try {
                T first = queue.poll(work.idleMillis(), TimeUnit.MILLISECONDS);
                if (first != null) {
                    batch.add(first);
                    work.gather(queue, batch);
                }
            } catch (InterruptedException e) {
                closed = true;
                Thread.currentThread().interrupt();
            }
            if (!batch.isEmpty()) {
                work.run(batch);
            }
            work.between(closed);
            if (batch.isEmpty() && closed) {
                return;
            }
        }
    }

    /**
     * Takes no more, and waits until what was asked is done. Idempotent.
     *
     * @return what was not done in time, which is the caller's to answer
     */
    List<T> close() {
        closed = true;
        ThreadEnd.await(thread, DRAIN_MILLIS);
        List<T> rest = new ArrayList<>();
        queue.drainTo(rest);
        return rest;
    }

    /** False when it may still be at work though it was closed. */
    boolean hasEnded() {
        return !thread.isAlive();
    }
}
