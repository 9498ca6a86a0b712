package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.api.Acknowledgements;
import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Explanation;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.WriteReceipt;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Reading and writing entries: one, many, counters, invalidation, explanation. Keys and values are bytes. */
final class EntryEndpoints {
    private static final int CACHE = 2;
    private static final int KEY = 4;

    /** Every cache has metrics of its own; callers must not make up names without end. */
    private static final int MOST_CACHES = 1_000;

    private static final int MOST_BULK_KEYS = 10_000;

    /** Read at a time, so that what does not fit the answer is not gathered first. */
    private static final int BULK_SLICE = 50;

    private static final long MOST_BULK_BYTES = 32L << 20;

    private final CacheCoordinator coordinator;
    private final @Nullable OriginEndpoints origin;
    private final ConcurrentHashMap<String, Cache<byte[], byte[]>> caches = new ConcurrentHashMap<>();

    EntryEndpoints(CacheCoordinator coordinator, @Nullable OriginEndpoints origin) {
        this.coordinator = coordinator;
        this.origin = origin;
    }

    void addTo(Router router) {
        router.on("GET", "/v1/caches/*/entries/*", this::get)
                .on("PUT", "/v1/caches/*/entries/*", this::put)
                .on("DELETE", "/v1/caches/*/entries/*", this::delete)
                .on("POST", "/v1/caches/*/entries/*/increment", this::increment)
                .on("GET", "/v1/caches/*/entries/*/explain", this::explain)
                .on("POST", "/v1/caches/*/bulk/get", this::bulkGet)
                .on("POST", "/v1/caches/*/bulk/put", this::bulkPut)
                .on("POST", "/invalidate", this::invalidate);
    }

    private Cache<byte[], byte[]> cache(String name) {
        Cache<byte[], byte[]> known = caches.get(name);
        if (known == null) {
            if (caches.size() >= MOST_CACHES) {
                throw new HttpProblem(
                        409,
                        "Conflict",
                        "this node serves " + MOST_CACHES + " caches already; use one of them, with longer keys");
            }
            known = coordinator.cache(name, Codecs.bytesKey(), Codecs.bytes());
            caches.putIfAbsent(name, known);
        }
        return known;
    }

    private Cache<byte[], byte[]> plainCache(String name) {
        if (origin != null && name.equals(OriginEndpoints.CACHE)) {
            throw new HttpProblem(
                    409,
                    "Conflict",
                    "cache '" + name + "' is filled from the origin: read its entries one by one, write at the origin");
        }
        return cache(name);
    }

    private void get(Exchange exchange) throws IOException {
        String name = exchange.segment(CACHE);
        byte[] key = exchange.segments().get(KEY);
        if (origin != null && name.equals(OriginEndpoints.CACHE)) {
            origin.answer(exchange, key);
            return;
        }
        ReadResult<byte[]> result = cache(name).read(key);
        byte[] value = result.value();
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
        Cache<byte[], byte[]> cache = plainCache(exchange.segment(CACHE));
        byte[] key = exchange.segments().get(KEY);
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
                ? cache.replace(key, version(ifMatch), value)
                : onlyNew ? cache.putIfAbsent(key, value) : cache.put(key, value);
        boolean conditionFailed = !receipt.applied() && (ifMatch != null || onlyNew);
        exchange.with("ETag", "\"" + receipt.version() + "\"").json(conditionFailed ? 412 : 200, tree(receipt));
    }

    private static Version version(String ifMatch) {
        try {
            return Version.parse(ifMatch.replace("\"", ""));
        } catch (IllegalArgumentException e) {
            throw new HttpProblem(
                    400, "Bad request", "If-Match takes the ETag of an earlier answer: " + e.getMessage());
        }
    }

    private void delete(Exchange exchange) throws IOException {
        byte[] key = exchange.segments().get(KEY);
        if (exchange.header("If-Match") != null || exchange.header("If-None-Match") != null) {
            throw new HttpProblem(400, "Bad request", "DELETE takes no conditions; use PUT with If-Match");
        }
        exchange.json(200, tree(cache(exchange.segment(CACHE)).invalidate(key)));
    }

    private void increment(Exchange exchange) throws IOException {
        String text = exchange.query("delta");
        long delta;
        try {
            delta = text == null ? 1 : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new HttpProblem(400, "Bad request", "delta must be a whole number, not '" + text + "'");
        }
        long value = plainCache(exchange.segment(CACHE))
                .increment(exchange.segments().get(KEY), delta);
        exchange.json(200, Map.of("value", value));
    }

    private void explain(Exchange exchange) throws IOException {
        Explanation explanation =
                cache(exchange.segment(CACHE)).explain(exchange.segments().get(KEY));
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

    private void bulkGet(Exchange exchange) throws IOException {
        Cache<byte[], byte[]> cache = plainCache(exchange.segment(CACHE));
        List<byte[]> keys = keys(exchange.json());
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

    /** A key as JSON text; half a surrogate pair has no bytes, and would melt into '?'. */
    private static byte[] key(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (!new String(bytes, StandardCharsets.UTF_8).equals(text)) {
            throw new HttpProblem(400, "Bad request", "a key in the body is no valid Unicode text");
        }
        return bytes;
    }

    private static void checkCount(int keys) {
        if (keys > MOST_BULK_KEYS) {
            throw new HttpProblem(
                    413,
                    "Content too large",
                    keys + " keys exceed the " + MOST_BULK_KEYS + " of one request; send fewer");
        }
    }

    @SuppressWarnings("ArrayAsKeyOfSetOrMap") // only walked through; the cache compares keys by content
    private void bulkPut(Exchange exchange) throws IOException {
        Cache<byte[], byte[]> cache = plainCache(exchange.segment(CACHE));
        JsonNode entries = exchange.json().path("entries");
        if (!entries.isObject()) {
            throw new HttpProblem(400, "Bad request", "'entries' must be an object of keys to base64 values");
        }
        checkCount(entries.size());
        Map<byte[], byte[]> decoded = new LinkedHashMap<>();
        entries.properties()
                .forEach(entry -> decoded.put(key(entry.getKey()), base64(entry.getKey(), entry.getValue())));
        Map<String, Object> receipts = new LinkedHashMap<>();
        cache.putAll(decoded)
                .forEach((key, receipt) -> receipts.put(new String(key, StandardCharsets.UTF_8), tree(receipt)));
        exchange.json(200, Map.of("receipts", receipts));
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

    private void invalidate(Exchange exchange) throws IOException {
        JsonNode body = exchange.json();
        String name = body.path("cache").asText("");
        boolean all = body.path("all").asBoolean(false);
        if (name.isEmpty() || all == body.has("keys")) {
            throw new BadInputException(
                    "the request must name a 'cache', and either its 'keys' or 'all'",
                    "send {\"cache\": \"...\", \"keys\": [...]} or {\"cache\": \"...\", \"all\": true}");
        }
        if (all) {
            exchange.json(200, tree(cache(name).clear()));
            return;
        }
        Map<String, Object> receipts = new LinkedHashMap<>();
        cache(name)
                .invalidate(keys(body))
                .forEach((key, receipt) -> receipts.put(new String(key, StandardCharsets.UTF_8), tree(receipt)));
        exchange.json(200, Map.of("receipts", receipts));
    }

    private static List<byte[]> keys(JsonNode body) {
        JsonNode keys = body.path("keys");
        if (!keys.isArray()) {
            throw new HttpProblem(400, "Bad request", "'keys' must be a list of texts");
        }
        checkCount(keys.size());
        List<byte[]> bytes = new ArrayList<>();
        for (JsonNode key : keys) {
            if (!key.isTextual()) {
                throw new HttpProblem(400, "Bad request", "'keys' must be a list of texts, found " + key.getNodeType());
            }
            bytes.add(key(key.textValue()));
        }
        return bytes;
    }

    /** A receipt for JSON. */
    static Map<String, Object> tree(WriteReceipt receipt) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("applied", receipt.applied());
        tree.put("version", receipt.version().toString());
        tree.put("stored", names(receipt.stored()));
        tree.put("missed", names(receipt.missed()));
        tree.put("announced", receipt.announced());
        tree.put("durable", receipt.durable());
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
