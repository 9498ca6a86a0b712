package dev.terrace.tier.backup;

import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Threads that fetch what somebody waits for before what nobody does, and else in the order in which they were asked. Thread-safe. */
final class Fetcher implements AutoCloseable {
    private static final int THREADS = 4;
    private static final long CLOSING_MILLIS = 5_000;

    /** How soon. */
    enum Urgency {
        /** Nothing can be answered without it. */
        FIRST,
        /** Somebody waits for an answer. */
        AWAITED,
        /** Some day it is needed. */
        SOMETIME
    }

    private final AtomicLong order = new AtomicLong();
    private final ThreadPoolExecutor pool =
            new ThreadPoolExecutor(THREADS, THREADS, 5, TimeUnit.SECONDS, new PriorityBlockingQueue<>(), task -> {
                Thread thread = new Thread(task, "terrace-l3-fetch");
                thread.setDaemon(true);
                return thread;
            });

    Fetcher() {
        pool.allowCoreThreadTimeOut(true);
    }

    private record Job(Urgency urgency, long number, Runnable work) implements Runnable, Comparable<Job> {
        @Override
        public void run() {
            work.run();
        }

        @Override
        public int compareTo(Job other) {
            int byUrgency = urgency.compareTo(other.urgency);
            return byUrgency != 0 ? byUrgency : Long.compare(number, other.number);
        }
    }

    /** Does {@code work} when its turn comes; never after closing. */
    void execute(Urgency urgency, Runnable work) {
        try {
            pool.execute(new Job(urgency, order.incrementAndGet(), work));
        } catch (RejectedExecutionException closed) {
            // Whoever waits for it is told by who closes this.
        }
    }

    /** Breaks off what is under way; waits for it at most {@value #CLOSING_MILLIS} ms. */
    @Override
    public void close() {
        pool.shutdownNow();
        try {
            pool.awaitTermination(CLOSING_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
