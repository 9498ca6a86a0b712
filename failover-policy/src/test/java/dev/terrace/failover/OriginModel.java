package dev.terrace.failover;

import dev.terrace.failover.Admission.Pass;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * An origin with so many workers and a queue before them, and callers who come whether or not it keeps up, on virtual time: one
 * seed, the same run. A caller gives up after a while; the origin works for it all the same, which is how overload turns into
 * nothing done.
 */
final class OriginModel {
    static final long MILLI = 1_000_000;

    private final SplittableRandom random;
    private final int workers;
    private long meanNanos;
    private final long patienceNanos;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final ArrayDeque<Call> queue = new ArrayDeque<>();
    private long eventNumber;
    private int busy;
    long now;

    /** Answered in time. */
    int good;

    /** By priority. */
    final int[] refused = new int[2];

    /** By priority. */
    final int[] offered = new int[2];

    private record Event(long at, long number, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at == other.at ? Long.compare(number, other.number) : Long.compare(at, other.at);
        }
    }

    private final class Call {
        final long began;
        final Pass pass;
        boolean over;

        Call(long began, Pass pass) {
            this.began = began;
            this.pass = pass;
        }

        void answered() {
            if (!over) {
                over = true;
                good++;
                pass.succeeded();
            }
        }

        void givenUp() {
            if (!over) {
                over = true;
                pass.failed(random.nextInt());
            }
        }
    }

    OriginModel(long seed, int workers, long meanMillis, long patienceMillis) {
        this.random = new SplittableRandom(seed);
        this.workers = workers;
        this.meanNanos = meanMillis * MILLI;
        this.patienceNanos = patienceMillis * MILLI;
    }

    /** Calls a second that the origin can do. */
    double capacity() {
        return workers * 1e9 / meanNanos;
    }

    /** From now on calls last so many times longer. */
    void slowBy(int factor) {
        meanNanos *= factor;
    }

    void at(long time, Runnable action) {
        events.add(new Event(time, eventNumber++, action));
    }

    private long exponential(double mean) {
        return Math.max(1, (long) (-Math.log(1 - random.nextDouble()) * mean));
    }

    /** Callers come at {@code perSecond}, for so long. */
    void offer(OriginLimits limits, double perSecond, long fromNanos, long untilNanos, LoadPriority priority) {
        at(fromNanos + exponential(1e9 / perSecond), () -> {
            if (now < untilNanos) {
                arrive(limits, priority);
                offer(limits, perSecond, now, untilNanos, priority);
            }
        });
    }

    private void arrive(OriginLimits limits, LoadPriority priority) {
        offered[priority.ordinal()]++;
        long arrived = now;
        limits.admit(priority, () -> now - arrived < patienceNanos).thenAccept(admission -> {
            if (admission instanceof Pass pass) {
                call(arrived, pass);
            } else {
                refused[priority.ordinal()]++;
            }
        });
    }

    private void call(long arrived, Pass pass) {
        Call call = new Call(arrived, pass);
        at(arrived + patienceNanos, call::givenUp);
        queue.add(call);
        work();
    }

    private void work() {
        while (busy < workers && !queue.isEmpty()) {
            Call call = queue.poll();
            busy++;
            at(now + exponential(meanNanos), () -> {
                busy--;
                call.answered();
                work();
            });
        }
    }

    void runUntil(long end) {
        while (!events.isEmpty() && events.peek().at() <= end) {
            Event next = events.poll();
            now = Math.max(now, next.at());
            next.action().run();
        }
        now = Math.max(now, end);
    }
}
