package dev.terrace.replication;

import dev.terrace.spi.Replica;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * How zones answer lately: how long reads take, how far behind the first one a zone acknowledges writes, and whether it is so slow
 * that it counts as down. Thread-safe.
 */
final class Answering {
    /** A zone that answers so much slower than the fastest is slow. */
    private static final int TIMES_SLOWER = 8;

    /** Nothing faster than this is slow. */
    private static final double NEVER_SLOW_MILLIS = 10;

    /** How long a slow zone is left alone before a read tries whether it still is. */
    private static final long TRY_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Timing timing;
    private final Map<String, OfZone> zones = new TreeMap<>();

    Answering(Timing timing, Iterable<? extends Replica> replicas) {
        this.timing = timing;
        replicas.forEach(replica -> zones.put(replica.zone(), new OfZone()));
    }

    OfZone of(Replica zone) {
        OfZone known = zones.get(zone.zone());
        if (known == null) {
            throw new IllegalArgumentException("no zone " + zone.zone());
        }
        return known;
    }

    /** How long the fastest zone's slower answers take; 0 before anything was measured. */
    private double fastest() {
        double fastest = 0;
        for (OfZone zone : zones.values()) {
            double usual = zone.usual();
            if (usual > 0 && (fastest == 0 || usual < fastest)) {
                fastest = usual;
            }
        }
        return fastest;
    }

    private double limit() {
        return Math.max(NEVER_SLOW_MILLIS, TIMES_SLOWER * fastest());
    }

    /** How long to wait for a zone before another is asked; 0 before enough was measured. */
    double patienceMillis(Replica zone) {
        // A zone that has become slow must not stretch the patience with it.
        double p95 = of(zone).p95();
        return Math.min(p95, Math.max(NEVER_SLOW_MILLIS / 2, TIMES_SLOWER * fastest() / 2));
    }

    /** True when a zone counts as down: of its last answers half were far slower than others', or it owes one for so long. */
    boolean isSlow(Replica zone) {
        return of(zone).isSlow(limit());
    }

    /** One zone. */
    final class OfZone {
        private static final int WINDOW = 128;
        private static final int RECENT = 8;
        private static final int ENOUGH = 20;
        private static final int RENEW = 16;

        private final double[] window = new double[WINDOW];
        private final double[] recent = new double[RECENT];
        private long observed;
        private double mean;
        private double p95;
        private double median;
        private int owed;
        private long owedSinceNanos;
        private long triedNanos = timing.nanos();
        private double lagMillis;

        private OfZone() {}

        synchronized void asked() {
            if (owed++ == 0) {
                owedSinceNanos = timing.nanos();
            }
        }

        /** An answer has come, or was given up after {@code startedNanos}. */
        synchronized void answered(long startedNanos) {
            long now = timing.nanos();
            double millis = (now - startedNanos) / 1e6;
            owed--;
            owedSinceNanos = now;
            recent[(int) (observed % RECENT)] = millis;
            window[(int) (observed % WINDOW)] = millis;
            observed++;
            mean += (millis - mean) / Math.min(observed, 8);
            if (observed <= ENOUGH || observed % RENEW == 0) {
                double[] sorted = Arrays.copyOf(window, (int) Math.min(observed, WINDOW));
                Arrays.sort(sorted);
                p95 = sorted[(int) Math.min(sorted.length - 1L, Math.round(Math.ceil(sorted.length * 0.95)) - 1)];
                median = sorted[sorted.length / 2];
            }
        }

        /** It was spared the call: what came at once says nothing of how it answers. */
        synchronized void notAsked() {
            owed--;
            owedSinceNanos = timing.nanos();
        }

        /** Acknowledged a write so long after the first zone did. */
        synchronized void lagged(double millis) {
            lagMillis += (millis - lagMillis) / 8;
        }

        synchronized double lagMillis() {
            return lagMillis;
        }

        synchronized double mean() {
            return mean;
        }

        /** 95 in 100 answers take no longer; 0 before enough were seen. In milliseconds. */
        synchronized double p95() {
            return observed < ENOUGH ? 0 : p95;
        }

        private synchronized double usual() {
            return observed < ENOUGH ? 0 : median;
        }

        private synchronized boolean isSlow(double limitMillis) {
            if (owed > 0 && (timing.nanos() - owedSinceNanos) / 1e6 > limitMillis) {
                return true;
            }
            int slow = 0;
            for (int i = 0; i < Math.min(observed, RECENT); i++) {
                slow += recent[i] > limitMillis ? 1 : 0;
            }
            return slow >= RECENT / 2;
        }

        /** True now and then, so that a zone that has recovered is noticed though nobody needs it. */
        synchronized boolean isToBeTried() {
            long now = timing.nanos();
            if (now - triedNanos < TRY_AGAIN_NANOS) {
                return false;
            }
            triedNanos = now;
            return true;
        }
    }
}
