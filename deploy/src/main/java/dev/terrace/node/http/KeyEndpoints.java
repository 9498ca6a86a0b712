package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.jobs.KeyJson;
import dev.terrace.spi.KeyHolder;
import dev.terrace.spi.KeyReport;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The keys of L3: what there are, and a new one. Never the keys themselves. */
final class KeyEndpoints {
    private static final long PATIENCE_SECONDS = 20;

    private final CacheCoordinator coordinator;

    KeyEndpoints(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    void addTo(Router router) {
        router.on("GET", "/keys", this::list).on("POST", "/keys/rotate", this::rotate);
    }

    private void list(Exchange exchange) throws IOException {
        KeyHolder holder = coordinator.keys();
        KeyReport report = holder == null ? null : holder.keys();
        exchange.json(200, report == null ? Map.of("encrypted", false) : KeyJson.tree(report));
    }

    private void rotate(Exchange exchange) throws Exception {
        KeyHolder holder = coordinator.keys();
        if (holder == null) {
            throw new HttpProblem(404, "Not found", "this node's L3 is not encrypted, so it has no keys");
        }
        JsonNode order = exchange.jsonOrEmpty();
        String why = holder.rotateKey(
                        order.path("purpose").asText("data"), order.path("by").asText("http"))
                .toCompletableFuture()
                .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (!why.isEmpty()) {
            throw new HttpProblem(409, "Conflict", why);
        }
        list(exchange);
    }
}
