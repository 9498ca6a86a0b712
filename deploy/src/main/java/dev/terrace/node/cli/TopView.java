package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.terrace.config.PlainText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** How {@code terrace top} shows what a node says of its L1. Pure. */
final class TopView {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};
    private static final int BAR = 30;
    private static final int LONGEST_NAME = 40;

    private final JsonNode now;
    private final @Nullable JsonNode before;
    private final double seconds;
    private final int rows;

    /**
     * Compares two answers.
     *
     * @param before null for the time since the node started
     * @param seconds between the two; 0 when there is one
     * @param rows most lines of each table
     */
    TopView(JsonNode now, @Nullable JsonNode before, double seconds, int rows) {
        this.now = now;
        this.before = before;
        this.seconds = seconds;
        this.rows = rows;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (!now.path("enabled").asBoolean()) {
            lines.add("this node has no L1: local_cache.enabled is false");
            return lines;
        }
        head(lines);
        parts(lines);
        shares(lines);
        sizes(lines);
        hottest(lines);
        return lines;
    }

    /** For who reads lines one after the other: the whole in one. */
    String line() {
        Reads all = new Reads(0, 0);
        readsByCache().values().forEach(all::add);
        return String.format(
                Locale.ROOT,
                "entries=%d bytes=%d limit=%d resident=%d hit_ratio=%s reads=%d evictions=%d",
                now.path("entries").asLong(),
                bytes("live"),
                bytes("limit"),
                bytes("resident"),
                all.ratio(),
                all.all(),
                evictions().values().stream().mapToLong(Long::longValue).sum());
    }

    private void head(List<String> lines) {
        JsonNode bytes = now.path("bytes");
        lines.add(String.format(
                Locale.ROOT,
                "entries   %,d of %,d",
                now.path("entries").asLong(),
                now.path("capacity").asLong()));
        lines.add("bytes     " + size(bytes("live")) + " of " + size(bytes("limit")) + "  "
                + bar(bytes("live"), bytes("limit")));
        lines.add("memory    "
                + (bytes("resident") < 0 ? "" : size(bytes("resident")) + " resident, ")
                + size(bytes("reserved")) + " reserved, index " + size(bytes("index")) + ", heap " + size(bytes("heap"))
                + "; allowed " + size(bytes("allowed")));
        JsonNode container = now.path("container");
        if (container.isObject()) {
            String shrunk =
                    bytes.path("limit").asLong() < bytes.path("full_limit").asLong() ? ", L1 is shrunk" : "";
            lines.add("container " + size(container.path("used").asLong()) + " of "
                    + size(container.path("max").asLong()) + shrunk);
        }
        lines.add("evictions " + causes(evictions()) + (before == null ? " since the start" : ""));
    }

    private void parts(List<String> lines) {
        Map<String, Reads> reads = readsByCache();
        lines.add("");
        lines.add(String.format(
                Locale.ROOT,
                "%-24s %-12s %10s %10s %6s %9s %8s  %s",
                "cache",
                "class",
                "entries",
                "bytes",
                "share",
                "reads/s",
                "hit %",
                "evicted"));
        int shown = 0;
        for (JsonNode part : now.path("parts")) {
            String cache = part.path("cache").asText();
            // Reads are counted by cache; the first of its rows, which is the largest, has them.
            Reads of = reads.remove(cache);
            if (shown++ < rows) {
                lines.add(String.format(
                        Locale.ROOT,
                        "%-24s %-12s %10d %10s %5.1f%% %9s %8s  %s",
                        shortened(cache, 24),
                        shortened(part.path("class").asText(), 12),
                        part.path("entries").asLong(),
                        size(part.path("bytes").asLong()),
                        percent(part.path("bytes").asLong(), bytes("limit")),
                        of == null ? "" : of.perSecond(seconds),
                        of == null ? "" : of.ratio(),
                        causes(since(
                                part.path("evictions"),
                                earlier("parts", part, "cache", "class").path("evictions")))));
            }
        }
        if (shown > rows) {
            lines.add("... and " + (shown - rows) + " more; --rows shows them");
        }
        reads.forEach((cache, of) -> {
            if (of.all() > 0) {
                lines.add(String.format(
                        Locale.ROOT,
                        "%-24s %-12s %10d %10s %6s %9s %8s",
                        shortened(cache, 24),
                        "",
                        0,
                        "0 B",
                        "",
                        of.perSecond(seconds),
                        of.ratio()));
            }
        });
    }

    private Map<String, Long> evictions() {
        return since(now.path("evictions"), before == null ? MissingNode.getInstance() : before.path("evictions"));
    }

    private void shares(List<String> lines) {
        if (now.path("shares").isEmpty()) {
            return;
        }
        lines.add("");
        lines.add(String.format(
                Locale.ROOT, "%-24s %9s %6s %10s %10s %6s", "share of", "reserved", "most", "entries", "bytes", "now"));
        for (JsonNode share : now.path("shares")) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%-24s %8d%% %5d%% %10d %10s %5.1f%%",
                    shortened(share.path("name").asText(), 24),
                    share.path("reserved_percent").asInt(),
                    share.path("most_percent").asInt(),
                    share.path("entries").asLong(),
                    size(share.path("bytes").asLong()),
                    percent(share.path("bytes").asLong(), bytes("limit"))));
        }
    }

    private void sizes(List<String> lines) {
        long most = 0;
        for (JsonNode size : now.path("sizes")) {
            most = Math.max(most, size.path("entries").asLong());
        }
        if (most == 0) {
            return;
        }
        lines.add("");
        lines.add("room an entry takes");
        for (JsonNode size : now.path("sizes")) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  up to %8s %10d  %s",
                    size(size.path("up_to").asLong()),
                    size.path("entries").asLong(),
                    bar(size.path("entries").asLong(), most)));
        }
    }

    private void hottest(List<String> lines) {
        if (now.path("hottest").isEmpty()) {
            return;
        }
        lines.add("");
        lines.add(String.format(Locale.ROOT, "%-24s %-40s %10s", "hottest in", "key", "reads"));
        for (JsonNode hot : now.path("hottest")) {
            long reads = hot.path("reads").asLong();
            long atMost = hot.path("at_most").asLong();
            lines.add(String.format(
                    Locale.ROOT,
                    "%-24s %-40s %10d%s",
                    shortened(hot.path("cache").asText(), 24),
                    shortened(hot.path("key").asText(), LONGEST_NAME),
                    reads,
                    atMost > reads ? " to " + atMost : ""));
        }
    }

    private Map<String, Reads> readsByCache() {
        Map<String, Reads> reads = new TreeMap<>();
        for (JsonNode of : now.path("reads")) {
            Map<String, Long> counts = since(of, earlier("reads", of, "cache"));
            long local = counts.getOrDefault("near", 0L) + counts.getOrDefault("l1", 0L);
            reads.put(of.path("cache").asText(), new Reads(local, counts.getOrDefault("below", 0L)));
        }
        return reads;
    }

    /** What the earlier look said in the row with the same names, if there was one. */
    private JsonNode earlier(String table, JsonNode row, String... names) {
        if (before != null) {
            for (JsonNode old : before.path(table)) {
                if (Arrays.stream(names).allMatch(name -> old.path(name).equals(row.path(name)))) {
                    return old;
                }
            }
        }
        return MissingNode.getInstance();
    }

    private long bytes(String what) {
        return now.path("bytes").path(what).asLong();
    }

    /** Who answered reads. */
    private static final class Reads {
        private long local;
        private long below;

        Reads(long local, long below) {
            this.local = local;
            this.below = below;
        }

        void add(Reads other) {
            local += other.local;
            below += other.below;
        }

        long all() {
            return local + below;
        }

        String ratio() {
            return all() <= 0 ? "-" : String.format(Locale.ROOT, "%.1f", 100.0 * local / all());
        }

        String perSecond(double seconds) {
            return seconds <= 0 ? "-" : String.format(Locale.ROOT, "%.0f", all() / seconds);
        }
    }

    /** How far counts went since an earlier look; what fell began anew, with the node. */
    private static Map<String, Long> since(JsonNode counts, JsonNode earlier) {
        Map<String, Long> since = new TreeMap<>();
        counts.properties().forEach(one -> {
            long count = one.getValue().asLong();
            long old = earlier.path(one.getKey()).asLong();
            since.put(one.getKey(), count < old ? count : count - old);
        });
        return since;
    }

    private static String causes(Map<String, Long> counts) {
        StringBuilder text = new StringBuilder();
        counts.forEach((cause, count) -> {
            if (count != 0) {
                text.append(text.isEmpty() ? "" : " ").append(cause).append('=').append(count);
            }
        });
        return text.isEmpty() ? "none" : text.toString();
    }

    private static double percent(long part, long of) {
        return of <= 0 ? 0 : 100.0 * part / of;
    }

    private static String bar(long part, long of) {
        int marks = of <= 0 ? 0 : (int) Math.min(BAR, Math.ceil((double) BAR * part / of));
        return "#".repeat(marks) + ".".repeat(BAR - marks);
    }

    /** Names come from whoever writes to the cache: control characters must not reach the terminal. */
    private static String shortened(String name, int most) {
        String safe = PlainText.of(name);
        return safe.length() <= most ? safe : PlainText.start(safe, most - 1) + "~";
    }

    /** Whole units of 1,024, three digits or so. */
    static String size(long bytes) {
        double size = bytes;
        int unit = 0;
        while (Math.abs(size) >= 1024 && unit < UNITS.length - 1) {
            size /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", size, UNITS[unit]);
    }
}
