package dev.terrace.node.replay;

import com.codahale.metrics.MetricRegistry;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.api.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/**
 * What a replay came to, and whether three independent counts agree: the reader's of the file, the readers' of their
 * answers, the coordinator's and the origin's own.
 *
 * @param trace its name
 * @param outcome what the reads saw
 * @param originCalls what the origin counted
 * @param counters what the coordinator counted
 */
record Report(String trace, Replay.Outcome outcome, long originCalls, Counters counters) {
    private static final double NANOS_PER_MICRO = 1_000;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 100};
    private static final List<Source> TIERS = List.of(Source.L1, Source.L2, Source.L3);

    /**
     * The coordinator's counters of one cache.
     *
     * @param hitsL1 answers of L1
     * @param hitsL2 answers of L2
     * @param hitsL3 answers of L3
     * @param misses reads that no tier could answer
     * @param loads calls of the loader
     * @param shared misses that waited for somebody else's load
     */
    record Counters(long hitsL1, long hitsL2, long hitsL3, long misses, long loads, long shared) {
        static Counters of(MetricRegistry metrics, String cache) {
            String prefix = "cache." + cache + ".";
            return new Counters(
                    metrics.counter(prefix + "hits.l1").getCount(),
                    metrics.counter(prefix + "hits.l2").getCount(),
                    metrics.counter(prefix + "hits.l3").getCount(),
                    metrics.counter(prefix + "misses").getCount(),
                    metrics.counter(prefix + "loads").getCount(),
                    metrics.counter(prefix + "loads.shared").getCount());
        }
    }

    private long count(Source source) {
        return outcome.tally().count(source);
    }

    private long misses() {
        return count(Source.LOADER) + count(Source.NONE) + outcome.tally().failures();
    }

    /** Every sum that does not come out; empty when all do. */
    List<String> discrepancies() {
        List<String> found = new ArrayList<>();
        long hits = TIERS.stream().mapToLong(this::count).sum();
        equal(found, "hits + misses = requests", hits + misses(), outcome.requests());
        equal(found, "hits of L1, counted by reader and coordinator", count(Source.L1), counters.hitsL1());
        equal(found, "hits of L2, counted by reader and coordinator", count(Source.L2), counters.hitsL2());
        equal(found, "hits of L3, counted by reader and coordinator", count(Source.L3), counters.hitsL3());
        equal(found, "misses, counted by reader and coordinator", misses(), counters.misses());
        equal(found, "loads + shared = misses", counters.loads() + counters.shared(), counters.misses());
        equal(found, "loads, counted by coordinator and origin", counters.loads(), originCalls);
        equal(found, "wrong values", outcome.tally().wrongValues(), 0);
        equal(found, "failed reads", outcome.tally().failures(), 0);
        return found;
    }

    private static void equal(List<String> found, String what, long left, long right) {
        if (left != right) {
            found.add(String.format(Locale.ROOT, "%s: %,d against %,d", what, left, right));
        }
    }

    private double percent(long part) {
        return outcome.requests() == 0 ? 0 : 100.0 * part / outcome.requests();
    }

    private double perSecond() {
        return outcome.requests() / Math.max(1e-9, outcome.nanos() / NANOS_PER_SECOND);
    }

    /** For people. */
    void print(Consumer<String> line) {
        long saved = outcome.requests() - originCalls;
        line.accept(String.format(
                Locale.ROOT,
                "Replayed %s: %,d requests in %.1f s, %,.0f per second",
                trace,
                outcome.requests(),
                outcome.nanos() / NANOS_PER_SECOND,
                perSecond()));
        line.accept("");
        line.accept(String.format(
                Locale.ROOT,
                "%-10s %12s %8s  %9s %9s %9s %9s %9s  (microseconds)",
                "answered by",
                "requests",
                "share",
                "p50",
                "p90",
                "p99",
                "p99.9",
                "max"));
        row(line, "L1", count(Source.L1), outcome.tally().latencies(Source.L1));
        row(line, "L2", count(Source.L2), outcome.tally().latencies(Source.L2));
        row(line, "L3", count(Source.L3), outcome.tally().latencies(Source.L3));
        row(line, "origin", count(Source.LOADER), outcome.tally().latencies(Source.LOADER));
        row(line, "all", outcome.requests(), outcome.tally().all());
        line.accept("");
        line.accept(String.format(
                Locale.ROOT,
                "origin calls %,d (%.2f %%), saved %,d (%.2f %%), of these %,d shared one call with others",
                originCalls,
                percent(originCalls),
                saved,
                percent(saved),
                counters.shared()));
        List<String> wrong = discrepancies();
        if (wrong.isEmpty()) {
            line.accept(String.format(
                    Locale.ROOT,
                    "adds up: %,d (L1) + %,d (L2) + %,d (L3) + %,d (loads) + %,d (shared) = %,d requests",
                    count(Source.L1),
                    count(Source.L2),
                    count(Source.L3),
                    counters.loads(),
                    counters.shared(),
                    outcome.requests()));
        } else {
            line.accept("DOES NOT ADD UP:");
            wrong.forEach(problem -> line.accept("  " + problem));
            if (!outcome.firstFailure().isEmpty()) {
                line.accept("  first failure: " + outcome.firstFailure());
            }
        }
    }

    private void row(Consumer<String> line, String name, long count, Histogram nanos) {
        StringBuilder row = new StringBuilder(String.format(
                Locale.ROOT, "%-10s  %12s %7.2f%% ", name, String.format(Locale.ROOT, "%,d", count), percent(count)));
        for (double percentile : PERCENTILES) {
            row.append(
                    nanos.getTotalCount() == 0
                            ? String.format(Locale.ROOT, " %9s", "-")
                            : String.format(
                                    Locale.ROOT, " %9.1f", nanos.getValueAtPercentile(percentile) / NANOS_PER_MICRO));
        }
        line.accept(row.toString());
    }

    /** For programs. */
    String json() {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("trace", trace);
        root.put("requests", outcome.requests());
        root.put("seconds", outcome.nanos() / NANOS_PER_SECOND);
        root.put("requests_per_second", perSecond());
        ObjectNode tiers = root.putObject("answered_by");
        for (Source source : List.of(Source.L1, Source.L2, Source.L3, Source.LOADER)) {
            ObjectNode tier = tiers.putObject(
                    source == Source.LOADER ? "origin" : source.name().toLowerCase(Locale.ROOT));
            tier.put("requests", count(source));
            tier.put("ratio", percent(count(source)) / 100);
            latencies(tier, outcome.tally().latencies(source));
        }
        latencies(root, outcome.tally().all());
        root.put("origin_calls", originCalls);
        root.put("origin_calls_saved", outcome.requests() - originCalls);
        root.put("loads_shared", counters.shared());
        root.put("failed", outcome.tally().failures());
        root.put("wrong_values", outcome.tally().wrongValues());
        List<String> wrong = discrepancies();
        root.put("adds_up", wrong.isEmpty());
        wrong.forEach(root.putArray("discrepancies")::add);
        return root.toPrettyString();
    }

    private static void latencies(ObjectNode into, Histogram nanos) {
        ObjectNode latency = into.putObject("latency_micros");
        if (nanos.getTotalCount() > 0) {
            for (double percentile : PERCENTILES) {
                String name = percentile == 100 ? "max" : "p" + (percentile % 1 == 0 ? (int) percentile : percentile);
                latency.put(name, nanos.getValueAtPercentile(percentile) / NANOS_PER_MICRO);
            }
        }
    }
}
