package dev.terrace.core;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Threads for loaders, a bounded number. A loader that waits for the cache itself, as one does that reads another cache through a loader,
 * lends its place meanwhile: else as many of them as there are threads would wait for loads that none of them leaves a thread to.
 * Thread-safe.
 */
final class LoaderThreads implements LoaderLane {
    /** Places that may be lent, for each thread: so many loaders can be within one another, were all to begin at once, and one more. */
    static final int LENT_PER_THREAD = 3;

    private final int threads;
    private final ThreadPoolExecutor pool;
    private int lent;

    LoaderThreads(String name, int threads) {
        this.threads = threads;
        AtomicInteger number = new AtomicInteger();
        this.pool = new ThreadPoolExecutor(
                threads,
                threads,
                30,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(QUEUED_PER_THREAD * threads),
                task -> new Lender(task, name + "-" + number.incrementAndGet()));
        pool.allowCoreThreadTimeOut(true);
    }

    /** A thread whose place another one can have while it waits. */
    private final class Lender extends Thread {
        Lender(Runnable task, String name) {
            super(task, name);
            setDaemon(true);
        }

        LoaderThreads lane() {
            return LoaderThreads.this;
        }
    }

    /**
     * The calling thread is about to wait for {@code wanted}: if it runs a loader, its place is free until the loan is closed.
     *
     * @return null when there is nothing to lend
     */
    static @Nullable Loan lendWhile(Future<?> wanted) {
        if (wanted.isDone() || !(Thread.currentThread() instanceof Lender lender)) {
            return null;
        }
        lender.lane().change(1);
        return () -> lender.lane().change(-1);
    }

    /** A place that is lent. */
    interface Loan extends AutoCloseable {
        @Override
        void close();
    }

    private synchronized void change(int by) {
        lent += by;
        int size = threads + Math.min(lent, LENT_PER_THREAD * threads);
        try {
            if (by > 0) {
                pool.setMaximumPoolSize(size);
                pool.setCorePoolSize(size);
            } else {
                pool.setCorePoolSize(size);
                pool.setMaximumPoolSize(size);
            }
        } catch (OutOfMemoryError e) {
            // No thread could be started now, so the loan was none.
            lent -= Math.max(0, by);
            throw e;
        }
    }

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
}
