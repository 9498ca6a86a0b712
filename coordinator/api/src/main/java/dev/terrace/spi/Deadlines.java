package dev.terrace.spi;

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Ends futures that take longer than one fixed time, at most {@value #TICK_MILLIS} ms late. Thread-safe.
 *
 * <p>All deadlines of one instance have the same length, so they run out in the order in which they were set and a queue is
 * enough: setting one costs an append, where a timer per call ({@link CompletableFuture#orTimeout}) costs a lock and, when
 * calls come one at a time, waking the timer's thread for each. The thread sleeps while nothing is watched, and belongs to
 * the instance until {@link #close}.
 */
public final class Deadlines implements AutoCloseable {
    /** How late a deadline may be noticed. */
    public static final long TICK_MILLIS = 5;

    private final long nanos;
    private final Queue<Watched<?>> watched = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean asleep;

    private record Watched<T>(CompletableFuture<T> future, Supplier<T> late, long dueNanos) {
        void expire() {
            try {
                future.complete(late.get());
            } catch (RuntimeException | Error e) {
                // Of one; the thread is there for all the others, too.
                future.completeExceptionally(e);
            }
        }
    }

    /**
     * Starts the thread that watches.
     *
     * @param name names the thread
     * @param millis how long a future may take
     */
    public Deadlines(String name, long millis) {
        this.nanos = TimeUnit.MILLISECONDS.toNanos(millis);
        this.thread = new Thread(this::watch, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Completes {@code future} with {@code late} when it is not complete by the deadline. Returns {@code future}. */
    public <T> CompletableFuture<T> watch(CompletableFuture<T> future, Supplier<T> late) {
        if (future.isDone()) {
            return future;
        }
        Watched<T> added = new Watched<>(future, late, System.nanoTime() + nanos);
        watched.add(added);
        if (asleep) {
            LockSupport.unpark(thread);
        }
        if (closed) {
            // The thread may have looked for the last time already.
            added.expire();
        }
        return future;
    }

    private void watch() {
        while (!closed) {
            if (watched.isEmpty()) {
                asleep = true;
                if (watched.isEmpty() && !closed) {
                    LockSupport.park(this);
                }
                asleep = false;
            } else {
                LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS));
            }
            expireDue();
        }
        drain();
    }

    private void expireDue() {
        long now = System.nanoTime();
        for (Watched<?> first = watched.peek(); first != null; first = watched.peek()) {
            if (!first.future().isDone()) {
                if (first.dueNanos() - now > 0) {
                    return;
                }
                first.expire();
            }
            watched.poll();
        }
    }

    /** Only ever called by the thread, which alone takes from the queue. */
    private void drain() {
        for (Watched<?> next = watched.poll(); next != null; next = watched.poll()) {
            next.expire();
        }
    }

    /** Ends what is still watched, as if its time were over, and stops the thread. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
