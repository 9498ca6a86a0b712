package dev.terrace.node.jobs;

import dev.terrace.spi.KeyReport;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Keys as JSON, the same over HTTP and from a folder. */
public final class KeyJson {
    private KeyJson() {}

    /** All that may be told. */
    public static Map<String, Object> tree(KeyReport report) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("encrypted", true);
        tree.put("ring", report.ring());
        tree.put("locked_by", report.lockedBy());
        List<Map<String, Object>> keys =
                report.keys().stream().map(KeyJson::tree).toList();
        tree.put("keys", keys);
        return tree;
    }

    private static Map<String, Object> tree(KeyReport.Key key) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("purpose", key.purpose());
        tree.put("epoch", key.epoch());
        tree.put("id", key.id());
        tree.put("state", key.state());
        tree.put("created", Instant.ofEpochMilli(key.createdMillis()).toString());
        tree.put("since", Instant.ofEpochMilli(key.sinceMillis()).toString());
        tree.put("by", key.by());
        tree.put("fingerprint", key.fingerprint());
        tree.put("sub_keys", key.subKeys());
        return tree;
    }
}
