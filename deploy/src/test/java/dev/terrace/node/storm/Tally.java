package dev.terrace.node.storm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Counts answers and keeps how long they took. Thread-safe. */
final class Tally {
    private final Map<String, Integer> counts = new TreeMap<>();
    private final List<Long> nanos = new ArrayList<>();

    synchronized void count(String what) {
        counts.merge(what, 1, Integer::sum);
    }

    synchronized void took(long answerNanos) {
        nanos.add(answerNanos);
    }

    synchronized Map<String, Integer> counts() {
        return new TreeMap<>(counts);
    }

    /** For people: median, 99 %, 99.9 %, longest. */
    synchronized String latencies() {
        if (nanos.isEmpty()) {
            return "none";
        }
        Collections.sort(nanos);
        return "p50 " + micros(0.5) + " us, p99 " + micros(0.99) + " us, p99.9 " + micros(0.999) + " us, most "
                + micros(1) + " us of " + nanos.size();
    }

    private long micros(double share) {
        int at = (int) Math.min(nanos.size() - 1, Math.floor(share * nanos.size()));
        return TimeUnit.NANOSECONDS.toMicros(nanos.get(at));
    }
}
