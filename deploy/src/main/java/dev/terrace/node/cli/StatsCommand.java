package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows hits, misses and latencies of a running node. */
@Command(
        name = "stats",
        description = "Show tiers, hits, misses and latencies of a running node.",
        mixinStandardHelpOptions = true)
final class StatsCommand implements Callable<Integer> {
    private static final String CLEAR_SCREEN = "\u001b[H\u001b[2J";
    private static final List<String> NAMES =
            List.of("hits.near", "hits.l1", "hits.l2", "hits.l3", "misses", "loads", "puts");

    /** What comes up to here in a row is a read. */
    private static final int MISSES = 4;

    /** Behind the rest: reads since the row before. */
    private static final int READS = 7;

    @Option(names = "--watch", description = "Refresh until interrupted.")
    private boolean watch;

    @Option(names = "--interval", paramLabel = "SECONDS", description = "Pause between refreshes (default: 1).")
    private int intervalSeconds = 1;

    @Option(names = "--count", paramLabel = "N", description = "End --watch after N refreshes.")
    private long count = Long.MAX_VALUE;

    @Option(names = "--json", description = "Print all metrics as JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        boolean live = watch && CommandLine.Help.Ansi.AUTO.enabled();
        JsonNode before = null;
        for (long shown = 0; shown < (watch ? count : 1); shown++) {
            if (shown > 0) {
                TimeUnit.SECONDS.sleep(Math.max(1, intervalSeconds));
            }
            JsonNode now = node.json("GET", "/cache-metrics", null);
            if (live) {
                out.print(CLEAR_SCREEN);
            }
            if (json) {
                out.println(now);
            } else {
                print(out, now, before == null ? now : before);
            }
            out.flush();
            before = now;
        }
        return ExitCodes.OK;
    }

    private void print(PrintWriter out, JsonNode now, JsonNode before) {
        out.printf("%-4s %-12s %12s %14s  %s%n", "tier", "state", "entries", "bytes", "what");
        for (JsonNode tier : now.path("tiers")) {
            out.printf(
                    "%-4s %-12s %12s %14s  %s%n",
                    tier.path("tier").asText(),
                    tier.path("state").asText(),
                    known(tier.path("entries")),
                    known(tier.path("bytes")),
                    tier.path("description").asText() + detail(tier));
        }
        Map<String, long[]> caches = new TreeMap<>();
        Iterator<Map.Entry<String, JsonNode>> metrics =
                now.path("metrics").properties().iterator();
        while (metrics.hasNext()) {
            Map.Entry<String, JsonNode> metric = metrics.next();
            if (metric.getKey().startsWith("cache.") && metric.getKey().endsWith(".misses")) {
                String cache = metric.getKey().substring(6, metric.getKey().length() - 7);
                caches.put(cache, row(cache, now, before));
            }
        }
        out.printf(
                "%n%-20s %10s %10s %10s %10s %10s %10s %10s %8s %10s%n",
                "cache", "near hits", "L1 hits", "L2 hits", "L3 hits", "misses", "loads", "puts", "hit %", "reads/s");
        caches.forEach((cache, row) -> out.printf(
                "%-20s %10d %10d %10d %10d %10d %10d %10d %8s %10d%n",
                cache,
                row[0],
                row[1],
                row[2],
                row[3],
                row[4],
                row[5],
                row[6],
                ratio(row),
                row[READS] / Math.max(1, intervalSeconds)));
    }

    private static String detail(JsonNode tier) {
        String detail = tier.path("detail").asText("");
        return detail.isEmpty() ? "" : " (" + detail + ")";
    }

    private static String known(JsonNode number) {
        return number.asLong() < 0 ? "-" : number.asText();
    }

    private static String ratio(long[] row) {
        long hits = row[0] + row[1] + row[2] + row[3];
        return hits + row[4] == 0 ? "-" : String.format("%.1f", 100.0 * hits / (hits + row[4]));
    }

    private static long[] row(String cache, JsonNode now, JsonNode before) {
        long[] row = new long[READS + 1];
        for (int i = 0; i < NAMES.size(); i++) {
            String metric = "cache." + cache + "." + NAMES.get(i);
            row[i] = now.path("metrics").path(metric).asLong();
            if (i <= MISSES) {
                row[READS] += row[i] - before.path("metrics").path(metric).asLong();
            }
        }
        return row;
    }
}
