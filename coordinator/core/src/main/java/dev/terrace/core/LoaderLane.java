package dev.terrace.core;

import java.util.concurrent.RejectedExecutionException;

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
        return new LoaderThreads(name, threads);
    }
}
