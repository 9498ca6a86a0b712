package dev.terrace.replication;

import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The way from one node to one zone and back: delays, losses, repetitions, partitions. */
final class SimLink {
    private final VirtualTime time;
    private final SplittableRandom random;
    final SimHost host;
    private final SimZone zone;
    private final long longestMicros;
    private double loss;
    private double repetition;

    boolean requestsCut;
    boolean answersCut;
    boolean slow;

    /** Requests that set out before then arrive after then. */
    long heldUntilNanos;

    /**
     * @param loss how often a message is lost
     * @param repetition how often a request that stands it arrives a second time, later
     * @param longestMicros of an ordinary delay, one way; a slow link takes up to fifty times that
     */
    SimLink(
            VirtualTime time,
            SplittableRandom random,
            SimHost host,
            SimZone zone,
            double loss,
            double repetition,
            long longestMicros) {
        this.time = time;
        this.random = random;
        this.host = host;
        this.zone = zone;
        this.loss = loss;
        this.repetition = repetition;
        this.longestMicros = longestMicros;
    }

    /** From a node that is always awake. */
    SimLink(VirtualTime time, SplittableRandom random, SimZone zone, double loss, long longestMicros) {
        this(time, random, new SimHost(time, 0), zone, loss, 0, longestMicros);
    }

    /** From now on nothing is lost or repeated. */
    void calm() {
        loss = 0;
        repetition = 0;
    }

    private long delayNanos() {
        long micros = 50 + random.nextLong(longestMicros);
        // Now and then a straggler, so that messages overtake each other.
        if (random.nextInt(20) == 0) {
            micros *= 8;
        }
        return 1_000 * (slow ? micros * 50 : micros);
    }

    /**
     * Carries a request to the zone and its answer back; either may get lost.
     *
     * @param repeatable whether the protocol stands that the request arrives twice
     */
    <T> void call(Supplier<T> atZone, Consumer<T> answered, boolean repeatable) {
        if (host.dead || requestsCut || random.nextDouble() < loss) {
            return;
        }
        if (repeatable && random.nextDouble() < repetition) {
            Consumer<T> nobody = answer -> {};
            time.afterNanos(
                    delayNanos() * (1 + random.nextInt(200)), () -> zone.receive(() -> nobody.accept(atZone.get())));
        }
        long delay = Math.max(delayNanos(), heldUntilNanos - time.nanos());
        time.afterNanos(
                delay,
                () -> zone.receive(() -> {
                    T answer = atZone.get();
                    if (answersCut || random.nextDouble() < loss) {
                        return;
                    }
                    time.afterNanos(delayNanos(), () -> host.awake(0, () -> answered.accept(answer)));
                }));
    }
}
