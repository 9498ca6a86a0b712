package dev.terrace.node.http;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.HotKey;
import dev.terrace.spi.LocalReport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What L1 holds, where its memory goes, and which keys are hot. */
final class LocalEndpoints {
    private static final String HOTTEST = "hottest";
    private static final int HOTTEST_UNLESS_ASKED = 10;
    private static final int MOST_HOTTEST = 1_000;

    private final CacheCoordinator coordinator;

    LocalEndpoints(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    void addTo(Router router) {
        router.on("GET", "/local", this::local);
    }

    private void local(Exchange exchange) throws IOException {
        exchange.onlyQueries(Set.of(HOTTEST));
        int hottest = hottest(exchange.query(HOTTEST));
        LocalReport report = coordinator.local();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("enabled", report != null);
        if (report != null) {
            put(tree, report);
        }
        tree.put("reads", reads());
        tree.put(
                "hottest",
                coordinator.hottest(hottest).stream().map(LocalEndpoints::tree).toList());
        exchange.json(200, tree);
    }

    private static int hottest(@Nullable String asked) {
        if (asked == null) {
            return HOTTEST_UNLESS_ASKED;
        }
        try {
            int hottest = Integer.parseInt(asked);
            if (hottest >= 0 && hottest <= MOST_HOTTEST) {
                return hottest;
            }
        } catch (NumberFormatException e) {
            // Refused below, like any other number that is none.
        }
        throw new HttpProblem(400, "Bad request", "'hottest' must be a number from 0 to " + MOST_HOTTEST);
    }

    private static void put(Map<String, Object> tree, LocalReport report) {
        tree.put("entries", report.entries());
        tree.put("capacity", report.capacity());
        LocalReport.Memory memory = report.memory();
        Map<String, Object> bytes = new LinkedHashMap<>();
        bytes.put("live", memory.live());
        bytes.put("limit", memory.limit());
        bytes.put("full_limit", memory.fullLimit());
        bytes.put("index", memory.index());
        bytes.put("heap", memory.heap());
        bytes.put("reserved", memory.reserved());
        bytes.put("resident", memory.resident());
        bytes.put("allowed", memory.allowed());
        tree.put("bytes", bytes);
        LocalReport.Container container = report.container();
        if (container != null) {
            Map<String, Object> around = new LinkedHashMap<>();
            around.put("used", container.used());
            around.put("max", container.max());
            around.put("shrinks", container.shrinks());
            tree.put("container", around);
        }
        tree.put("evictions", report.evictions());
        tree.put("parts", report.parts().stream().map(LocalEndpoints::tree).toList());
        tree.put("shares", report.shares().stream().map(LocalEndpoints::tree).toList());
        tree.put("sizes", report.sizes().stream().map(LocalEndpoints::tree).toList());
    }

    private static Map<String, Object> tree(LocalReport.Part part) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("cache", part.cache());
        tree.put("class", part.className());
        tree.put("entries", part.entries());
        tree.put("bytes", part.bytes());
        tree.put("evictions", part.evictions());
        return tree;
    }

    private static Map<String, Object> tree(LocalReport.Share share) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("name", share.name());
        tree.put("reserved_percent", share.reservedPercent());
        tree.put("most_percent", share.mostPercent());
        tree.put("entries", share.entries());
        tree.put("bytes", share.bytes());
        return tree;
    }

    private static Map<String, Object> tree(LocalReport.Size size) {
        return Map.of("up_to", size.upToBytes(), "entries", size.entries());
    }

    private static Map<String, Object> tree(HotKey hot) {
        String cache = hot.key().cache();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("cache", cache);
        // As text, or as hexadecimal digits when it is none.
        tree.put("key", hot.key().toString().substring(cache.length() + 1));
        tree.put("reads", hot.reads());
        tree.put("at_most", hot.atMost());
        return tree;
    }

    /** Of every open cache, who answered its reads. */
    private List<Object> reads() {
        MetricRegistry metrics = coordinator.metrics();
        Map<String, Counter> counters = metrics.getCounters((name, metric) -> name.startsWith("cache."));
        List<Object> reads = new ArrayList<>();
        for (String cache : new TreeSet<>(coordinator.consistencies().keySet())) {
            String prefix = "cache." + cache + ".";
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("cache", cache);
            tree.put("near", count(counters, prefix + "hits.near"));
            tree.put("l1", count(counters, prefix + "hits.l1"));
            tree.put(
                    "below",
                    count(counters, prefix + "hits.l2")
                            + count(counters, prefix + "hits.l3")
                            + count(counters, prefix + "misses"));
            reads.add(tree);
        }
        return reads;
    }

    private static long count(Map<String, Counter> counters, String name) {
        Counter counter = counters.get(name);
        return counter == null ? 0 : counter.getCount();
    }
}
