package dev.terrace.failover;

import java.util.concurrent.TimeUnit;

/**
 * How many calls an origin takes at once, found out by how long they last: while they last about as long as they do without a
 * queue, the limit grows; when they last twice as long, or are given up, it shrinks. How long they last without a queue is
 * measured anew now and then with half the calls for a moment, because under lasting overload nothing else would show it.
 *
 * <p>The gradient of Netflix's concurrency-limits, with the probe of N. Cardwell et al., "BBR: Congestion-Based Congestion
 * Control", ACM Queue 2016. Netflix's own {@code Gradient2Limit} compares with a long average, which under lasting overload follows
 * the queue: in the simulation beside this class it let ten times as many calls through as the origin had workers for.
 *
 * <p>Judged over spans of time and a number of calls, because single calls differ too much. Not thread-safe.
 */
final class AdaptiveLimit {
    private static final int FIRST = 20;

    /** Fewer calls at once are too few to tell anything by. */
    private static final int LEAST = 4;

    private static final long LEAST_SPAN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int CALLS_PER_SPAN = 30;
    private static final double TOLERANCE = 2;
    private static final double STEEPEST = 0.8;
    private static final double ON_GIVEN_UP = 0.7;

    /** Spans between two probes. */
    private static final int PROBE_AFTER = 100;

    /** It may be the origin that is slower, and not its queue that is longer. */
    private static final int PROBE_AFTER_SHRINKING = 10;

    private final int most;
    private final OriginMutant mutant;
    private double limit;

    /** How long calls last without a queue; 0 before the first span. */
    private double baseNanos;

    private boolean probing;
    private int spans;
    private int shrunk;

    // The span under way.
    private long spanFrom;
    private double sumNanos;
    private int calls;
    private int givenUps;
    private int busiest;

    /** Never above {@code most}. */
    AdaptiveLimit(int most, OriginMutant mutant) {
        this.mutant = mutant;
        this.most = most;
        this.limit = Math.min(FIRST, most);
    }

    int get() {
        return (int) Math.max(1, probing ? Math.max(limit / 2, LEAST / 2.0) : limit);
    }

    /**
     * A call has ended, or was given up.
     *
     * @param underWay calls at that moment, itself included
     */
    void lasted(long startedNanos, long lastedNanos, int underWay, boolean givenUp) {
        if (calls == 0 && givenUps == 0 && spanFrom == 0) {
            spanFrom = startedNanos;
        }
        if (startedNanos - spanFrom < 0) {
            // Began when the limit was another one.
            return;
        }
        busiest = Math.max(busiest, underWay);
        if (givenUp) {
            givenUps++;
        } else {
            calls++;
            sumNanos += lastedNanos;
        }
        long now = startedNanos + lastedNanos;
        if (now - spanFrom >= LEAST_SPAN_NANOS && calls + givenUps >= CALLS_PER_SPAN) {
            judge();
            spanFrom = now;
            sumNanos = 0;
            calls = 0;
            givenUps = 0;
            busiest = 0;
        }
    }

    private void judge() {
        spans++;
        double average = calls == 0 ? 0 : sumNanos / calls;
        if (probing) {
            probing = false;
            spans = 0;
            shrunk = 0;
            baseNanos = calls == 0 ? baseNanos : average;
        } else if (givenUps > 0) {
            shrink(ON_GIVEN_UP);
        } else if (busiest * 2 < limit) {
            // Nobody waits for anybody: this is how long calls last.
            baseNanos = baseNanos == 0 ? average : baseNanos + (average - baseNanos) / 10;
        } else {
            baseNanos = baseNanos == 0 ? average : baseNanos + Math.min(0, average - baseNanos) / 10;
            double gradient = TOLERANCE * baseNanos / average;
            if (gradient >= 1) {
                shrunk = 0;
                limit = Math.min(most, limit + Math.max(1, Math.sqrt(limit) / 2));
            } else {
                shrink(Math.max(STEEPEST, gradient));
            }
        }
        probing = mutant != OriginMutant.NEVER_PROBED && (spans >= PROBE_AFTER || shrunk >= PROBE_AFTER_SHRINKING);
    }

    private void shrink(double by) {
        shrunk++;
        limit = Math.max(Math.min(LEAST, most), limit * by);
    }
}
