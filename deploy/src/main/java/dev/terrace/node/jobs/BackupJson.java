package dev.terrace.node.jobs;

import dev.terrace.spi.BackupReport;
import dev.terrace.spi.RestoreReport;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Backups as JSON, the same over HTTP and from a repository. */
public final class BackupJson {
    private BackupJson() {}

    /** All that is known. */
    public static Map<String, Object> tree(BackupReport report) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("enabled", true);
        tree.put("writer", report.writer());
        tree.put("generation", report.generation());
        tree.put("through", time(report.throughMillis()));
        tree.put("lag_millis", report.lagMillis() < 0 ? null : report.lagMillis());
        tree.put("last_snapshot", time(report.snapshotMillis()));
        tree.put("last_delta", time(report.deltaMillis()));
        tree.put("failures", report.failures());
        tree.put("trouble", report.trouble());
        tree.put("freshness", report.freshness());
        tree.put("points", points(report.points()));
        return tree;
    }

    /** How far a restore is that goes on under a node. */
    public static Map<String, Object> tree(RestoreReport report) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("state", report.state().name().toLowerCase(Locale.ROOT));
        tree.put("writers", report.writers());
        tree.put("bytes", report.bytes());
        tree.put("bytes_here", report.bytesHere());
        tree.put("parts", report.parts());
        tree.put("parts_done", report.partsDone());
        tree.put("entries", report.entries());
        tree.put("expired", report.expired());
        tree.put("unreadable", report.unreadable());
        tree.put("through", time(report.throughMillis()));
        tree.put("failures", report.failures());
        tree.put("trouble", report.trouble());
        return tree;
    }

    private static List<Map<String, Object>> points(List<BackupReport.Point> points) {
        return points.stream()
                .map(point -> {
                    Map<String, Object> one = new LinkedHashMap<>();
                    one.put("point", point.name());
                    one.put("as_of", time(point.asOfMillis()));
                    one.put("through", time(point.throughMillis()));
                    return one;
                })
                .toList();
    }

    private static @Nullable String time(long millis) {
        return millis == 0 ? null : Instant.ofEpochMilli(millis).toString();
    }
}
