package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.api.Cache;
import dev.terrace.api.WriteOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reading and writing many entries of a cache at once. */
final class BulkEndpoints {
    private static final int CACHE = 2;

    /** Read at a time, so that what does not fit the answer is not gathered first. */
    private static final int BULK_SLICE = 50;

    private static final long MOST_BULK_BYTES = 32L << 20;

    private final ServedCaches caches;

    BulkEndpoints(ServedCaches caches) {
        this.caches = caches;
    }

    void addTo(Router router) {
        router.on("POST", "/v1/caches/*/bulk/get", this::bulkGet).on("POST", "/v1/caches/*/bulk/put", this::bulkPut);
    }

    private void bulkGet(Exchange exchange) throws IOException {
        Cache<byte[], byte[]> cache = caches.plain(exchange.segment(CACHE));
        List<byte[]> keys = BodyKeys.keys(exchange.json());
        Map<String, Object> entries = new LinkedHashMap<>();
        long bytes = 0;
        for (int from = 0; from < keys.size(); from += BULK_SLICE) {
            Map<byte[], byte[]> slice = cache.getAll(keys.subList(from, Math.min(keys.size(), from + BULK_SLICE)));
            for (Map.Entry<byte[], byte[]> entry : slice.entrySet()) {
                bytes += entry.getValue().length;
                if (bytes > MOST_BULK_BYTES) {
                    throw new HttpProblem(
                            413,
                            "Content too large",
                            "the values of these " + keys.size() + " keys exceed " + MOST_BULK_BYTES
                                    + " bytes; ask for fewer keys at once");
                }
                entries.put(
                        new String(entry.getKey(), StandardCharsets.UTF_8),
                        Base64.getEncoder().encodeToString(entry.getValue()));
            }
        }
        exchange.json(200, Map.of("entries", entries));
    }

    @SuppressWarnings("ArrayAsKeyOfSetOrMap") // only walked through; the cache compares keys by content
    private void bulkPut(Exchange exchange) throws IOException {
        Cache<byte[], byte[]> cache = caches.plain(exchange.segment(CACHE));
        WriteOptions options = CallOptions.ofWrite(exchange);
        JsonNode entries = exchange.json().path("entries");
        if (!entries.isObject()) {
            throw new HttpProblem(400, "Bad request", "'entries' must be an object of keys to base64 values");
        }
        BodyKeys.checkCount(entries.size());
        Map<byte[], byte[]> decoded = new LinkedHashMap<>();
        entries.properties()
                .forEach(entry -> decoded.put(BodyKeys.key(entry.getKey()), base64(entry.getKey(), entry.getValue())));
        exchange.json(200, ReceiptJson.trees(cache.putAll(decoded, options)));
    }

    private static byte[] base64(String key, JsonNode value) {
        try {
            if (value.isTextual()) {
                return Base64.getDecoder().decode(value.textValue());
            }
        } catch (IllegalArgumentException e) {
            // Reported below, like a value that is no text at all.
        }
        throw new HttpProblem(400, "Bad request", "the value of '" + key + "' is not base64 text");
    }
}
