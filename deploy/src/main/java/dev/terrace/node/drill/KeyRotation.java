package dev.terrace.node.drill;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;

/** A new data key under load; what both keys sealed comes back from the repository. */
final class KeyRotation implements Drill {
    @Override
    public String name() {
        return "key-rotation";
    }

    @Override
    public String about() {
        return "the data key is rotated under load, then everything is lost; what both keys sealed comes back";
    }

    @Override
    public void run(Scene scene) throws Exception {
        Site site = scene.site();
        scene.deploy();
        try (Traffic traffic = scene.begin()) {
            scene.hold("traffic", Duration.ofMillis(500));
            scene.stage("rotate", () -> {
                JsonNode answer = site.calls().json("POST", "/keys/rotate", "{\"purpose\":\"data\",\"by\":\"drill\"}");
                int epochs = epochs(answer);
                if (epochs < 2) {
                    throw new DrillFailure("the key was not rotated: " + answer);
                }
                return epochs + " data keys";
            });
            scene.hold("traffic", Duration.ofSeconds(1));
            traffic.close();
            Traffic.Totals totals = traffic.totals();
            scene.mostly("durable writes acknowledged", totals.writes(), totals.writesFailed(), 100);
        }
        scene.stage("ship", site::awaitShipped);
        Loss.everythingAndBack(scene);
        scene.stage("look at the keys", () -> {
            int epochs = epochs(site.calls().json("GET", "/keys", null));
            scene.measure("data_keys", epochs);
            scene.objective("both keys are back", "at least 2 data keys", Integer.toString(epochs), epochs >= 2);
            return epochs + " data keys";
        });
        scene.verify(Duration.ZERO);
        scene.judgeTraffic();
    }

    private static int epochs(JsonNode keys) {
        int count = 0;
        for (JsonNode key : keys.path("keys")) {
            count += key.path("purpose").asText().equals("data") ? 1 : 0;
        }
        return count;
    }
}
