package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.api.BadInputException;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.ReplicationMode;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Dropping entries: one, many, those with a tag, a whole cache, a whole namespace. */
final class InvalidationEndpoints {
    private static final int CACHE = 2;
    private static final int KEY = 4;
    private static final int TAG = 4;
    private static final int NAMESPACE = 2;
    private static final Set<String> FIELDS = Set.of("cache", "keys", "tags", "all");

    private final ServedCaches caches;

    InvalidationEndpoints(ServedCaches caches) {
        this.caches = caches;
    }

    void addTo(Router router) {
        router.on("DELETE", "/v1/caches/*/entries/*", this::entry)
                .on("DELETE", "/v1/caches/*/tags/*", this::tag)
                .on("DELETE", "/v1/caches/*", this::cache)
                .on("DELETE", "/v1/namespaces/*", this::namespace)
                .on("POST", "/invalidate", this::many);
    }

    private void entry(Exchange exchange) throws IOException {
        if (exchange.header("If-Match") != null || exchange.header("If-None-Match") != null) {
            throw new HttpProblem(400, "Bad request", "DELETE takes no conditions; use PUT with If-Match");
        }
        ReplicationMode mode = CallOptions.mode(exchange);
        WriteOptions options = mode == null ? WriteOptions.DEFAULTS : WriteOptions.DEFAULTS.withReplication(mode);
        answer(
                exchange,
                caches.named(exchange.segment(CACHE))
                        .invalidate(exchange.segments().get(KEY), options));
    }

    private void tag(Exchange exchange) throws IOException {
        exchange.onlyQueries(Set.of());
        answer(exchange, caches.named(exchange.segment(CACHE)).invalidateTags(List.of(exchange.segment(TAG))));
    }

    private void cache(Exchange exchange) throws IOException {
        exchange.onlyQueries(Set.of());
        answer(exchange, caches.named(exchange.segment(CACHE)).clear());
    }

    private void namespace(Exchange exchange) throws IOException {
        exchange.onlyQueries(Set.of());
        answer(exchange, caches.coordinator().clearNamespace(exchange.segment(NAMESPACE)));
    }

    private void many(Exchange exchange) throws IOException {
        JsonNode body = exchange.json();
        body.fieldNames().forEachRemaining(InvalidationEndpoints::check);
        String name = body.path("cache").asText("");
        boolean all = body.path("all").asBoolean(false);
        if (name.isEmpty()
                || !body.path("cache").isTextual()
                || (all ? 1 : 0) + (body.has("keys") ? 1 : 0) + (body.has("tags") ? 1 : 0) != 1) {
            throw new BadInputException(
                    "the request must name a 'cache', and one of its 'keys', its 'tags' or 'all'",
                    "send {\"cache\": \"...\", \"keys\": [...]}, {\"cache\": \"...\", \"tags\": [...]} or"
                            + " {\"cache\": \"...\", \"all\": true}");
        }
        if (all) {
            answer(exchange, caches.named(name).clear());
        } else if (body.has("tags")) {
            answer(exchange, caches.named(name).invalidateTags(BodyKeys.texts(body, "tags")));
        } else {
            exchange.json(200, ReceiptJson.trees(caches.named(name).invalidate(BodyKeys.keys(body))));
        }
    }

    /** A mistyped restriction must not drop more than was meant. */
    private static void check(String field) {
        if (!FIELDS.contains(field)) {
            throw new HttpProblem(
                    400,
                    "Bad request",
                    "'" + field + "' is not understood; a request has cache, and keys, tags or all");
        }
    }

    private static void answer(Exchange exchange, WriteReceipt receipt) throws IOException {
        exchange.json(200, ReceiptJson.tree(receipt));
    }
}
