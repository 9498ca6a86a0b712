package dev.terrace.replication;

import java.util.Comparator;
import java.util.PriorityQueue;

/** Time that passes only when somebody runs it. What is due at the same moment runs in the order in which it was scheduled. */
final class VirtualTime implements Timing {
    private record Due(long nanos, long order, Runnable task) {}

    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::nanos).thenComparingLong(Due::order));
    private long now;
    private long orders;

    @Override
    public long nanos() {
        return now;
    }

    long millis() {
        return now / 1_000_000;
    }

    @Override
    public void after(long delayMillis, Runnable task) {
        afterNanos(delayMillis * 1_000_000, task);
    }

    void afterNanos(long delay, Runnable task) {
        due.add(new Due(now + Math.max(0, delay), orders++, task));
    }

    /** Runs everything until {@code millis} of virtual time, and {@code afterStep} after each of it. */
    void runUntil(long millis, Runnable afterStep) {
        long end = millis * 1_000_000;
        while (!due.isEmpty() && due.peek().nanos() <= end) {
            Due next = due.poll();
            now = next.nanos();
            next.task().run();
            afterStep.run();
        }
        now = Math.max(now, end);
    }
}
