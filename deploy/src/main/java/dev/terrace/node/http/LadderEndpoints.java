package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.api.LadderStatus;
import dev.terrace.api.Rung;
import dev.terrace.config.DurationText;
import dev.terrace.core.CacheCoordinator;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Where the node stands on the ladder; pins it and lets it go. */
final class LadderEndpoints {
    private static final Set<String> KNOWN = Set.of("rung", "for", "why", "by");

    private final CacheCoordinator coordinator;

    LadderEndpoints(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    void addTo(Router router) {
        router.on("GET", "/ladder", exchange -> exchange.json(200, tree(coordinator.ladder())))
                .on("PUT", "/ladder", this::pin)
                .on("DELETE", "/ladder", this::unpin);
    }

    private void pin(Exchange exchange) throws IOException {
        JsonNode order = exchange.jsonOrEmpty();
        order.properties().forEach(field -> {
            if (!KNOWN.contains(field.getKey())) {
                throw new HttpProblem(
                        400, "Bad request", "'" + field.getKey() + "' is not understood; give rung, for, why and by");
            }
        });
        Duration time = DurationText.parse(order.path("for").asText(""));
        if (time == null) {
            throw new HttpProblem(400, "Bad request", "'for' must be " + DurationText.ALLOWED);
        }
        LadderStatus status = coordinator.pinLadder(
                Rung.parse(order.path("rung").asText("")),
                time,
                order.path("by").asText("http"),
                order.path("why").asText(""));
        exchange.json(200, tree(status));
    }

    private void unpin(Exchange exchange) throws IOException {
        exchange.json(200, tree(coordinator.unpinLadder("http")));
    }

    /** All of it, in the order in which people ask. */
    static Map<String, Object> tree(LadderStatus status) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("rung", status.rung().text());
        tree.put("since", status.since().toString());
        tree.put("cause", status.cause());
        tree.put("lift", status.lift());
        tree.put("pin", pin(status.pin()));
        tree.put("moves", status.moves());
        Map<String, Object> spent = new LinkedHashMap<>();
        for (Rung rung : Rung.values()) {
            spent.put(
                    rung.text(),
                    status.spent().getOrDefault(rung, Duration.ZERO).toMillis());
        }
        tree.put("spent_millis", spent);
        tree.put("signals", new TreeMap<>(status.signals()));
        return tree;
    }

    private static @Nullable Map<String, Object> pin(LadderStatus.@Nullable Pin pin) {
        if (pin == null) {
            return null;
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("rung", pin.rung().text());
        tree.put("until", pin.until().toString());
        tree.put("by", pin.by());
        tree.put("why", pin.why());
        return tree;
    }
}
