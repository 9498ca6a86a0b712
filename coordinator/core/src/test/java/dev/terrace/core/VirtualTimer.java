package dev.terrace.core;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A timer on a simulation's time. */
final class VirtualTimer extends AbstractExecutorService implements ScheduledExecutorService {
    private final Schedule schedule;

    /** Where events are kept. */
    @FunctionalInterface
    interface Schedule {
        void after(long delayNanos, Runnable action);
    }

    VirtualTimer(Schedule schedule) {
        this.schedule = schedule;
    }

    /** A task that nobody waits for by its delay. */
    private static final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
        Task(Callable<V> callable) {
            super(callable);
        }

        /** Nobody joins it, so what a task throws ends the run. */
        @Override
        protected void setException(Throwable failure) {
            super.setException(failure);
            throw failure instanceof Error error ? error : new AssertionError("a task of the timer failed", failure);
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return 0;
        }

        @Override
        public int compareTo(Delayed other) {
            return 0;
        }
    }

    @Override
    public void execute(Runnable command) {
        schedule.after(0, command);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return schedule(
                () -> {
                    command.run();
                    return null;
                },
                delay,
                unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        Task<V> task = new Task<>(callable);
        schedule.after(unit.toNanos(delay), task);
        return task;
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long first, long period, TimeUnit unit) {
        return schedule(
                () -> {
                    command.run();
                    scheduleAtFixedRate(command, period, period, unit);
                },
                first,
                unit);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long first, long delay, TimeUnit unit) {
        return scheduleAtFixedRate(command, first, delay, unit);
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }
}
