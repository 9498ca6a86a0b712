package dev.terrace.node.replay;

import dev.terrace.api.Source;
import java.util.EnumMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** What one thread saw; added up at the end. Not thread-safe. */
final class Tally {
    /** Longer ones count as this long: an hour. */
    private static final long LONGEST_NANOS = 3_600_000_000_000L;

    private static final int DIGITS = 2;

    private final Map<Source, Histogram> latencies = new EnumMap<>(Source.class);
    private long failed;
    private long wrong;

    Tally() {
        for (Source source : Source.values()) {
            latencies.put(source, new Histogram(LONGEST_NANOS, DIGITS));
        }
    }

    void answered(Source source, long nanos) {
        latencies(source).recordValue(Math.min(LONGEST_NANOS, Math.max(0, nanos)));
    }

    void failed() {
        failed++;
    }

    void wrong() {
        wrong++;
    }

    void add(Tally other) {
        failed += other.failed;
        wrong += other.wrong;
        latencies.forEach((source, histogram) -> histogram.add(other.latencies(source)));
    }

    long count(Source source) {
        return latencies(source).getTotalCount();
    }

    long failures() {
        return failed;
    }

    long wrongValues() {
        return wrong;
    }

    Histogram latencies(Source source) {
        Histogram histogram = latencies.get(source);
        if (histogram == null) {
            throw new IllegalStateException("no histogram of " + source);
        }
        return histogram;
    }

    /** All answers together. */
    Histogram all() {
        Histogram all = new Histogram(LONGEST_NANOS, DIGITS);
        latencies.values().forEach(all::add);
        return all;
    }
}
