package dev.terrace.node.http;

import dev.terrace.api.Acknowledgements;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.TierLevel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Receipts for JSON. */
final class ReceiptJson {
    private ReceiptJson() {}

    /** Those of many keys, by key. */
    static Map<String, Object> trees(Map<byte[], WriteReceipt> receipts) {
        Map<String, Object> trees = new LinkedHashMap<>();
        receipts.forEach((key, receipt) -> trees.put(new String(key, StandardCharsets.UTF_8), tree(receipt)));
        return Map.of("receipts", trees);
    }

    /** One. */
    static Map<String, Object> tree(WriteReceipt receipt) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("applied", receipt.applied());
        tree.put("version", receipt.version().toString());
        tree.put("stored", names(receipt.stored()));
        tree.put("missed", names(receipt.missed()));
        tree.put("announced", receipt.announced());
        tree.put("durable", receipt.durable());
        tree.put("origin", receipt.origin().name().toLowerCase(Locale.ROOT));
        Acknowledgements acks = receipt.acknowledgements();
        if (acks != null) {
            Map<String, Object> copies = new LinkedHashMap<>();
            copies.put("mode", acks.mode().name().toLowerCase(Locale.ROOT));
            copies.put("acked", acks.acked());
            copies.put("required", acks.required());
            copies.put("zones", acks.zones().stream().sorted().toList());
            copies.put("hinted", acks.hinted().stream().sorted().toList());
            tree.put("acknowledgements", copies);
        }
        return tree;
    }

    private static List<String> names(Iterable<TierLevel> levels) {
        List<String> names = new ArrayList<>();
        levels.forEach(level -> names.add(level.name()));
        names.sort(null);
        return names;
    }
}
