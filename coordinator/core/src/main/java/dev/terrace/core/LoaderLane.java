package dev.terrace.core;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads for loaders that block, with a bounded queue. Thread-safe. */
interface LoaderLane extends AutoCloseable {
    /** Loads that may wait for a thread, per thread. */
    int QUEUED_PER_THREAD = 16;

    /**
     * Runs a task when a thread is free.
     *
     * @throws RejectedExecutionException when too many wait, or when closed
     */
    void execute(Runnable task);

    /** Takes back a task that has not begun; false when it has. */
    boolean remove(Runnable task);

    boolean isClosed();

    /** How many run and wait, in words. */
    String load();

    /** Interrupts what runs and forgets what waits. */
    @Override
    void close();

    /** Threads of the process, which end when they are not needed. */
    static LoaderLane ofThreads(String name, int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUED_PER_THREAD * threads), task -> {
                    Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return new LoaderLane() {
            @Override
            public void execute(Runnable task) {
                pool.execute(task);
            }

            @Override
            public boolean remove(Runnable task) {
                return pool.remove(task);
            }

            @Override
            public boolean isClosed() {
                return pool.isShutdown();
            }

            @Override
            public String load() {
                return pool.getMaximumPoolSize() + " run and " + pool.getQueue().size() + " wait";
            }

            @Override
            public void close() {
                pool.shutdownNow();
            }
        };
    }
}
