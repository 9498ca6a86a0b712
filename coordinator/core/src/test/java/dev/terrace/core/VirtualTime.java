package dev.terrace.core;

import java.time.Instant;
import java.time.InstantSource;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** The time of a simulation, and what is to happen in it: one thread, one seed, the same order. Not thread-safe. */
final class VirtualTime {
    static final long MILLI = 1_000_000;
    private static final long EPOCH_MILLIS = 1_700_000_000_000L;

    /** Whose events wait while it sleeps, and never happen once it is dead. */
    interface Owner {
        boolean isDead();

        long asleepUntil();
    }

    private record Event(long at, long number, @Nullable Owner owner, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final SplittableRandom random;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final StringBuilder trace = new StringBuilder();
    private final boolean tracing;
    private final int slowness;
    private long now;
    private long eventNumber;
    private boolean calm = true;

    VirtualTime(SplittableRandom random, boolean tracing) {
        this.random = random;
        this.tracing = tracing;
        this.slowness = 1 + random.nextInt(20);
    }

    /** Nanoseconds since the beginning. */
    long now() {
        return now;
    }

    /** Whether nothing takes unusually long. */
    void calm(boolean newCalm) {
        calm = newCalm;
    }

    boolean isTracing() {
        return tracing;
    }

    /** A wall clock that is wrong by so much. */
    InstantSource wall(long skewMillis) {
        return new InstantSource() {
            @Override
            public Instant instant() {
                return Instant.ofEpochMilli(millis());
            }

            @Override
            public long millis() {
                return EPOCH_MILLIS + skewMillis + now / MILLI;
            }
        };
    }

    void at(long time, @Nullable Owner owner, Runnable action) {
        events.add(new Event(time, eventNumber++, owner, action));
    }

    void later(@Nullable Owner owner, Runnable action) {
        at(now + delay(), owner, action);
    }

    /** Mostly short; now and then long. */
    long delay() {
        long base = MILLI / 10 + random.nextLong(slowness * MILLI / 4 + 1);
        return !calm && random.nextInt(40) == 0 ? base + random.nextLong(150 * MILLI) : base;
    }

    void note(String what) {
        if (tracing) {
            trace.append(now / 1000).append("us ").append(what).append('\n');
        }
    }

    String trace() {
        return trace.toString();
    }

    void runUntil(long end) {
        while (true) {
            Event next = events.peek();
            if (next == null || next.at() > end) {
                now = end;
                return;
            }
            events.poll();
            now = Math.max(now, next.at());
            Owner owner = next.owner();
            if (owner != null && owner.isDead()) {
                continue;
            }
            if (owner != null && owner.asleepUntil() > now) {
                at(owner.asleepUntil(), owner, next.action());
                continue;
            }
            next.action().run();
        }
    }
}
