package dev.terrace.replication;

import java.util.SplittableRandom;
import java.util.function.Supplier;

/** The way from one node to one zone and back: delays, losses, partitions. */
final class SimLink {
    private final VirtualTime time;
    private final SplittableRandom random;
    private final SimZone zone;
    private double loss;
    private final long longestMicros;

    boolean requestsCut;
    boolean answersCut;
    boolean slow;

    /** Until then the node sleeps: what comes for it waits, and so do its alarms, which go off after that. */
    long asleepUntilNanos;

    /**
     * @param longestMicros of an ordinary delay, one way; a slow link takes up to fifty times that
     */
    SimLink(VirtualTime time, SplittableRandom random, SimZone zone, double loss, long longestMicros) {
        this.time = time;
        this.random = random;
        this.zone = zone;
        this.loss = loss;
        this.longestMicros = longestMicros;
    }

    /** From now on nothing is lost. */
    void calm() {
        loss = 0;
    }

    private long delayNanos() {
        long micros = 50 + random.nextLong(longestMicros);
        // Now and then a straggler, so that messages overtake each other.
        if (random.nextInt(20) == 0) {
            micros *= 8;
        }
        return 1_000 * (slow ? micros * 50 : micros);
    }

    /** Carries a request to the zone and its answer back; either may get lost. A request is executed once at most. */
    <T> void call(Supplier<T> atZone, java.util.function.Consumer<T> answered) {
        deliver(atZone, answered);
    }

    private <T> void deliver(Supplier<T> atZone, java.util.function.Consumer<T> answered) {
        if (requestsCut || random.nextDouble() < loss) {
            return;
        }
        time.afterNanos(delayNanos(), () -> {
            if (zone.down) {
                return;
            }
            T answer = atZone.get();
            if (answersCut || random.nextDouble() < loss) {
                return;
            }
            time.afterNanos(delayNanos(), () -> awake(0, () -> answered.accept(answer)));
        });
    }

    /** Runs {@code task} now, or when the node has woken up. */
    void awake(long afterwardsNanos, Runnable task) {
        long left = asleepUntilNanos - time.nanos();
        if (left <= 0) {
            task.run();
        } else {
            time.afterNanos(left + afterwardsNanos, () -> awake(afterwardsNanos, task));
        }
    }
}
