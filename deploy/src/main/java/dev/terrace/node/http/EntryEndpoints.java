package dev.terrace.node.http;

import dev.terrace.api.Cache;
import dev.terrace.api.Explanation;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reading and writing single entries, counters, explanation. Keys and values are bytes. */
final class EntryEndpoints {
    private static final int CACHE = 2;
    private static final int KEY = 4;

    private final ServedCaches caches;
    private final @Nullable OriginEndpoints origin;

    EntryEndpoints(ServedCaches caches, @Nullable OriginEndpoints origin) {
        this.caches = caches;
        this.origin = origin;
    }

    void addTo(Router router) {
        router.on("GET", "/v1/caches/*/entries/*", this::get)
                .on("PUT", "/v1/caches/*/entries/*", this::put)
                .on("POST", "/v1/caches/*/entries/*/increment", this::increment)
                .on("GET", "/v1/caches/*/entries/*/explain", this::explain);
    }

    private void get(Exchange exchange) throws IOException {
        String name = exchange.segment(CACHE);
        byte[] key = exchange.segments().get(KEY);
        ReplicationMode mode = CallOptions.mode(exchange);
        if (origin != null && caches.isOrigins(name)) {
            if (mode != null) {
                throw new HttpProblem(
                        400, "Bad request", "cache '" + name + "' is read through its origin, without mode");
            }
            origin.answer(exchange, key);
            return;
        }
        Cache<byte[], byte[]> cache = caches.named(name);
        ReadResult<byte[]> result = mode == null ? cache.read(key) : cache.read(key, mode);
        byte[] value = result.value();
        if (value == null && result.freshness() == Freshness.UNKNOWN) {
            exchange.with("Retry-After", "1");
            throw new HttpProblem(
                    503,
                    "Unknown",
                    "whether cache '" + name
                            + "' has a value for this key is not known: a tier that may hold it did not"
                            + " answer; /health/ready tells which, try again when it does");
        }
        if (value == null) {
            throw new HttpProblem(404, "Not found", "cache '" + name + "' has no value for this key");
        }
        describe(exchange, result).bytes(200, "application/octet-stream", value);
    }

    /** Headers that say who answered, how old and how good the answer is. */
    static Exchange describe(Exchange exchange, ReadResult<?> result) {
        exchange.with("Terrace-Tier", result.source().name())
                .with("Terrace-Freshness", result.freshness().name().toLowerCase(Locale.ROOT))
                .with("Terrace-Age-Millis", Long.toString(result.age().toMillis()))
                .with("Age", Long.toString(result.age().toSeconds()));
        if (result.freshness() == Freshness.STALE) {
            exchange.with("Warning", "110 terrace \"Response is stale\"");
        }
        Version version = result.version();
        return version == null
                ? exchange
                : exchange.with("Terrace-Version", version.toString()).with("ETag", "\"" + version + "\"");
    }

    private void put(Exchange exchange) throws IOException {
        Cache<byte[], byte[]> cache = caches.plain(exchange.segment(CACHE));
        byte[] key = exchange.segments().get(KEY);
        WriteOptions options = CallOptions.ofWrite(exchange);
        byte[] value = exchange.body();
        String ifMatch = exchange.header("If-Match");
        String ifNoneMatch = exchange.header("If-None-Match");
        boolean onlyNew = "*".equals(ifNoneMatch);
        if (ifNoneMatch != null && (!onlyNew || ifMatch != null)) {
            // Storing without the condition that was asked for would be worse than not storing.
            throw new HttpProblem(
                    400, "Bad request", "PUT takes either If-None-Match: * or If-Match with the ETag of an answer");
        }
        WriteReceipt receipt = ifMatch != null
                ? cache.replace(key, version(ifMatch), value, options)
                : onlyNew ? cache.putIfAbsent(key, value, options) : cache.put(key, value, options);
        boolean conditionFailed = !receipt.applied() && (ifMatch != null || onlyNew);
        exchange.with("ETag", "\"" + receipt.version() + "\"")
                .json(conditionFailed ? 412 : 200, ReceiptJson.tree(receipt));
    }

    private static Version version(String ifMatch) {
        try {
            return Version.parse(ifMatch.replace("\"", ""));
        } catch (IllegalArgumentException e) {
            throw new HttpProblem(
                    400, "Bad request", "If-Match takes the ETag of an earlier answer: " + e.getMessage());
        }
    }

    private void increment(Exchange exchange) throws IOException {
        exchange.onlyQueries(Set.of("delta"));
        String text = exchange.query("delta");
        long delta;
        try {
            delta = text == null ? 1 : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new HttpProblem(400, "Bad request", "delta must be a whole number, not '" + text + "'");
        }
        long value = caches.plain(exchange.segment(CACHE))
                .increment(exchange.segments().get(KEY), delta);
        exchange.json(200, Map.of("value", value));
    }

    private void explain(Exchange exchange) throws IOException {
        Explanation explanation = caches.named(exchange.segment(CACHE))
                .explain(exchange.segments().get(KEY));
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("cache", explanation.cache());
        tree.put("key", explanation.key());
        tree.put("decision", explanation.decision());
        List<Object> copies = new ArrayList<>();
        for (Explanation.Copy copy : explanation.copies()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("tier", copy.tier().name());
            one.put("state", copy.state());
            one.put("kind", copy.kind() == null ? null : copy.kind().name());
            one.put("version", copy.version() == null ? null : copy.version().toString());
            one.put("age_millis", millis(copy.age()));
            one.put("fresh_for_millis", millis(copy.freshFor()));
            one.put("payload_bytes", copy.payloadBytes());
            one.put("detail", copy.detail());
            copies.add(one);
        }
        tree.put("copies", copies);
        exchange.json(200, tree);
    }

    private static @Nullable Long millis(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis();
    }
}
