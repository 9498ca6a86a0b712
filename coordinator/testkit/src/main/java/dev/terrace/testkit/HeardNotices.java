package dev.terrace.testkit;

import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A listener that writes down what it hears. Thread-safe; notes when it was called by two threads at once. */
public final class HeardNotices implements BackplaneListener {
    private final List<Heard> all = new ArrayList<>();
    private final AtomicBoolean busy = new AtomicBoolean();
    private volatile boolean overlapped;

    /**
     * One call.
     *
     * @param gap why, or empty when it was not a gap
     */
    public record Heard(List<Notice> notices, long position, String gap) {}

    @Override
    public void heard(List<Notice> notices, long position) {
        add(new Heard(List.copyOf(notices), position, ""));
    }

    @Override
    public void gap(String why) {
        add(new Heard(List.of(), -1, why.isEmpty() ? "a gap" : why));
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it
    private void add(Heard heard) {
        if (!busy.compareAndSet(false, true)) {
            overlapped = true;
        }
        // Time for another call to show itself.
        Thread.yield();
        synchronized (this) {
            all.add(heard);
            notifyAll();
        }
        busy.set(false);
    }

    /** Every call so far. */
    public synchronized List<Heard> calls() {
        return List.copyOf(all);
    }

    /** Every notice so far, in order. */
    public synchronized List<Notice> notices() {
        return all.stream().flatMap(call -> call.notices().stream()).toList();
    }

    /** The versions' clocks of every {@link Notice.Changed} so far, in order. */
    public List<Long> changes() {
        return notices().stream()
                .filter(Notice.Changed.class::isInstance)
                .map(notice -> ((Notice.Changed) notice).version().clock())
                .toList();
    }

    /** Waits until {@code notice} was heard, {@code most} at the longest; whether it was. */
    public synchronized boolean hears(Notice notice, Duration most) throws InterruptedException {
        long deadline = System.nanoTime() + most.toNanos();
        while (!notices().contains(notice)) {
            long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (leftMillis <= 0) {
                return false;
            }
            wait(leftMillis);
        }
        return true;
    }

    /** How many gaps there were. */
    public synchronized long gaps() {
        return all.stream().filter(call -> !call.gap().isEmpty()).count();
    }

    /** How far the channel was heard; 0 before anything was. */
    public synchronized long position() {
        return all.stream().mapToLong(Heard::position).filter(at -> at >= 0).reduce(0, (earlier, later) -> later);
    }

    /** Whether two calls ran at once. */
    public boolean overlapped() {
        return overlapped;
    }

    /** Forgets what was heard. */
    public synchronized void clear() {
        all.clear();
    }
}
