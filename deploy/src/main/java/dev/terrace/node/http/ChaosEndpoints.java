package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.config.DurationText;
import dev.terrace.node.chaos.Chaos;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;

/** Breaking things on purpose, where the settings allow it. */
final class ChaosEndpoints {
    private static final String FOR = "10s";
    private static final String DELAY = "2s";
    private static final double SHARE = 0.1;

    private final Chaos chaos;
    private final boolean allowed;

    ChaosEndpoints(Chaos chaos, boolean allowed) {
        this.chaos = chaos;
        this.allowed = allowed;
    }

    void addTo(Router router) {
        on(router, "GET", "/chaos", exchange -> exchange.json(200, status()));
        on(router, "DELETE", "/chaos", exchange -> {
            chaos.stop();
            exchange.json(200, status());
        });
        on(router, "POST", "/chaos/evict", this::evict);
        on(router, "POST", "/chaos/invalidate", this::invalidate);
        on(router, "POST", "/chaos/kill-l2", this::kill);
        on(router, "POST", "/chaos/slow-l2", this::slow);
    }

    private void on(Router router, String method, String path, Router.Endpoint endpoint) {
        router.on(method, path, exchange -> {
            if (!allowed) {
                throw new HttpProblem(
                        403,
                        "Forbidden",
                        "chaos is off on this node; start it with 'terrace run --chaos', or with server.chaos: true in"
                                + " its settings");
            }
            endpoint.handle(exchange);
        });
    }

    private void evict(Exchange exchange) throws IOException {
        JsonNode order = order(exchange, Set.of("share", "seed"));
        JsonNode share = order.path("share");
        JsonNode seed = order.path("seed");
        if (!share.isMissingNode() && !share.isNumber() || !seed.isMissingNode() && !seed.isIntegralNumber()) {
            throw new HttpProblem(
                    400, "Bad request", "'share' must be a number above 0 and at most 1, 'seed' a whole number");
        }
        long usedSeed = seed.isMissingNode() ? ThreadLocalRandom.current().nextLong() : seed.asLong();
        long evicted = chaos.evict(share.asDouble(SHARE), usedSeed);
        exchange.json(200, Map.of("evicted", evicted, "seed", usedSeed));
    }

    private void invalidate(Exchange exchange) throws IOException {
        JsonNode cache = order(exchange, Set.of("cache")).path("cache");
        Set<String> names = chaos.invalidate(cache.isMissingNode() ? null : cache.asText());
        exchange.json(200, Map.of("invalidated", List.copyOf(new TreeSet<>(names))));
    }

    private void kill(Exchange exchange) throws IOException {
        chaos.killRemote(duration(order(exchange, Set.of("for")), "for", FOR));
        exchange.json(202, status());
    }

    private void slow(Exchange exchange) throws IOException {
        JsonNode order = order(exchange, Set.of("for", "delay"));
        chaos.slowRemote(duration(order, "for", FOR), duration(order, "delay", DELAY));
        exchange.json(202, status());
    }

    private static JsonNode order(Exchange exchange, Set<String> known) {
        JsonNode order = exchange.jsonOrEmpty();
        order.properties().forEach(field -> {
            if (!known.contains(field.getKey())) {
                throw new HttpProblem(
                        400,
                        "Bad request",
                        "'" + field.getKey() + "' is not understood; give " + String.join(", ", new TreeSet<>(known)));
            }
        });
        return order;
    }

    private static Duration duration(JsonNode order, String name, String otherwise) {
        Duration time = DurationText.parse(order.path(name).asText(otherwise));
        if (time == null) {
            throw new HttpProblem(400, "Bad request", "'" + name + "' must be " + DurationText.ALLOWED);
        }
        return time;
    }

    private Map<String, Object> status() {
        Chaos.Status now = chaos.status();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("l2_may_be_broken", now.embedded());
        tree.put("running", now.action());
        tree.put("left_millis", now.left().toMillis());
        return tree;
    }
}
