package dev.terrace.node.drill;

import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** A bad release wrote nonsense; the state of the moment before comes back. */
final class PointInTime implements Drill {
    private static final int POISONED_OF = 3;
    private static final int BATCH = 1_000;

    @Override
    public String name() {
        return "point-in-time";
    }

    @Override
    public String about() {
        return "a bad release overwrites a third of all entries; the state of the moment before comes back";
    }

    @Override
    public void run(Scene scene) throws Exception {
        Site site = scene.site();
        scene.deploy();
        try (Traffic traffic = scene.begin()) {
            scene.hold("traffic", Duration.ofSeconds(1));
            traffic.close();
        }
        Instant before = scene.moment();
        Ledger good = scene.ledger().copy();
        scene.stage("bad release", () -> {
            scene.breaks();
            return poison(scene) + " entries overwritten, acknowledged as durable";
        });
        // The nonsense is in the repository, too, as it would be hours later.
        scene.stage("ship the nonsense", site::awaitShipped);
        scene.stage("stop node", site::stopNode);
        scene.stage("lose Redis", site::loseRedis);
        scene.stage("start Redis, empty", () -> {
            site.redis().restart();
            return "";
        });
        scene.stage("keep the folder aside", () -> {
            Files.move(site.l3(), site.l3().resolveSibling("l3-poisoned"));
            return "l3-poisoned";
        });
        scene.restore("--as-of", before.toString());
        scene.stage("another repository", () -> {
            String next = site.repository() + "/after";
            site.set("backup_storage.object_storage.url", next);
            return next + ": a later restore of the newest state must not merge the nonsense back";
        });
        scene.stage("start node", site::startNode);
        scene.awaitServing(null, null);
        scene.verify(good, Duration.ZERO);
        scene.measure("as_of", before.toString());
        scene.judgeTraffic();
    }

    private static int poison(Scene scene) throws Exception {
        int poisoned = 0;
        Map<Integer, byte[]> batch = new LinkedHashMap<>();
        for (int index = 0; index < scene.ledger().entries(); index++) {
            if (index % POISONED_OF == 0) {
                batch.put(
                        index,
                        ("{\"error\":\"undefined\",\"entry\":" + index + "}").getBytes(StandardCharsets.US_ASCII));
            }
            if (batch.size() == BATCH || index == scene.ledger().entries() - 1) {
                Map<Integer, Version> done = scene.site().calls().putAll(batch);
                poisoned += done.size();
                batch.clear();
            }
        }
        scene.measure("entries_poisoned", poisoned);
        return poisoned;
    }
}
