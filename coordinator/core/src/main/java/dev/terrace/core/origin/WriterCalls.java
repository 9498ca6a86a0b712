package dev.terrace.core.origin;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Calls writers: those that block on a bounded pool. A call that outlives its time is interrupted, or cancelled, and counts as
 * unknown. Thread-safe.
 */
public final class WriterCalls implements AutoCloseable {
    /** Calls that may wait for a thread, per thread. */
    private static final int QUEUED_PER_THREAD = 16;

    private final ScheduledExecutorService timer;
    private final ThreadPoolExecutor pool;
    private final AtomicInteger threadNumber = new AtomicInteger();
    private final Set<Runnable> underWay = ConcurrentHashMap.newKeySet();

    /**
     * A call under way.
     *
     * @param answered completes normally when the writer has answered, or its time is over
     * @param ended completes normally when the writer has returned, however late: until then it may still write
     */
    public record Started(CompletableFuture<List<WriteAnswer>> answered, CompletableFuture<Void> ended) {}

    /**
     * Starts no thread yet.
     *
     * @param name of the threads
     * @param threads most writers that block at once
     * @param timer ends what takes too long; stays the caller's to shut down
     */
    public WriterCalls(String name, int threads, ScheduledExecutorService timer) {
        this.timer = timer;
        this.pool = new ThreadPoolExecutor(
                threads, threads, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUED_PER_THREAD * threads), task -> {
                    Thread thread = new Thread(task, name + "-" + threadNumber.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
    }

    /** Calls {@code target}; one answer for each of {@code calls}, in their order. */
    public Started start(OriginTarget target, List<OriginCall> calls, Duration timeout) {
        return target instanceof OriginTarget.Async async
                ? startAsync(async, calls, timeout)
                : startBlocking((OriginTarget.Blocking) target, calls, timeout);
    }

    /** A call on a thread of the pool, which can be interrupted without harm to what that thread does next. */
    private static final class Running implements Runnable {
        final Started started = new Started(new CompletableFuture<>(), new CompletableFuture<>());
        private final OriginTarget.Blocking target;
        private final List<OriginCall> calls;
        private @Nullable Thread thread;
        private boolean abandoned;

        Running(OriginTarget.Blocking target, List<OriginCall> calls) {
            this.target = target;
            this.calls = calls;
        }

        @Override
        public void run() {
            if (begin()) {
                try {
                    started.answered.complete(checked(calls, target.write(calls)));
                } catch (Throwable e) {
                    // Errors too: whoever waits must hear of them; the thread itself goes on.
                    started.answered.complete(same(calls, WriteAnswer.of(e)));
                } finally {
                    end();
                }
            }
            started.ended.complete(null);
        }

        private synchronized boolean begin() {
            thread = Thread.currentThread();
            return !abandoned;
        }

        private synchronized void end() {
            thread = null;
            // An interrupt that came as the writer returned is not for whoever uses the thread next.
            Thread.interrupted();
        }

        synchronized void interrupt() {
            abandoned = true;
            if (thread != null) {
                thread.interrupt();
            }
        }
    }

    private Started startBlocking(OriginTarget.Blocking target, List<OriginCall> calls, Duration timeout) {
        Running running = new Running(target, calls);
        Started started = running.started;
        Runnable giveUp = () -> {
            boolean neverRan = pool.remove(running);
            started.answered.complete(
                    same(calls, neverRan ? WriteAnswer.of(busy(null)) : WriteAnswer.late(timeout.toMillis())));
            if (neverRan) {
                started.ended.complete(null);
            } else {
                running.interrupt();
            }
        };
        watch(started, giveUp, timeout);
        try {
            pool.execute(running);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            started.answered.complete(same(calls, WriteAnswer.of(busy(e))));
            started.ended.complete(null);
        }
        return started;
    }

    private IllegalStateException busy(@Nullable Throwable cause) {
        return new IllegalStateException(
                pool.isShutdown()
                        ? "writers are called no more, because the coordinator is closing"
                        : "no thread became free for the writer: " + pool.getMaximumPoolSize() + " run and "
                                + pool.getQueue().size() + " wait",
                cause);
    }

    private Started startAsync(OriginTarget.Async target, List<OriginCall> calls, Duration timeout) {
        CompletableFuture<List<WriteAnswer>> answered = new CompletableFuture<>();
        Started started = new Started(answered, answered.thenAccept(done -> {}));
        CompletableFuture<List<WriteAnswer>> theirs;
        try {
            theirs = target.write(calls).toCompletableFuture();
        } catch (Throwable e) {
            answered.complete(same(calls, WriteAnswer.of(e)));
            return started;
        }
        CompletableFuture<List<WriteAnswer>> stage = theirs;
        watch(
                started,
                () -> {
                    answered.complete(same(calls, WriteAnswer.late(timeout.toMillis())));
                    stage.cancel(true);
                },
                timeout);
        // A bug in what they answer, such as none at all, is their failure, too.
        theirs.thenApply(answers -> checked(calls, answers))
                .whenComplete((answers, failure) ->
                        answered.complete(failure == null ? answers : same(calls, WriteAnswer.of(failure))));
        return started;
    }

    private void watch(Started started, Runnable giveUp, Duration timeout) {
        underWay.add(giveUp);
        try {
            Future<?> alarm = timer.schedule(giveUp, timeout.toMillis(), TimeUnit.MILLISECONDS);
            started.answered.whenComplete((answers, bug) -> {
                underWay.remove(giveUp);
                alarm.cancel(false);
            });
        } catch (RejectedExecutionException closing) {
            giveUp.run();
            underWay.remove(giveUp);
        }
    }

    private static List<WriteAnswer> checked(List<OriginCall> calls, List<WriteAnswer> answers) {
        return answers.size() == calls.size()
                ? answers
                : same(
                        calls,
                        WriteAnswer.of(new IllegalStateException(
                                "the writer gave " + answers.size() + " answers to " + calls.size() + " writes")));
    }

    private static List<WriteAnswer> same(List<OriginCall> calls, WriteAnswer answer) {
        List<WriteAnswer> all = new ArrayList<>(calls.size());
        calls.forEach(call -> all.add(answer));
        return all;
    }

    /** Interrupts what runs, tells everyone who waits, and takes no more. */
    @Override
    public void close() {
        pool.shutdown();
        underWay.forEach(Runnable::run);
        pool.shutdownNow();
    }
}
