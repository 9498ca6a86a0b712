package dev.terrace.replication;

import java.util.PriorityQueue;

/** Time that passes only when somebody runs it. What is due at the same moment runs in the order in which it was scheduled. */
final class VirtualTime implements Timing {
    private record Due(long nanos, long order, Runnable task) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            return nanos == other.nanos ? Long.compare(order, other.order) : Long.compare(nanos, other.nanos);
        }
    }

    private final PriorityQueue<Due> due = new PriorityQueue<>(1_000);
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

    /** Runs everything until {@code millis} of virtual time. */
    void runUntil(long millis) {
        runUntil(millis, () -> {});
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
