package dev.terrace.node.drill;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The repository cannot be reached for a while. */
final class StorageOutage implements Drill {
    private static final long LONGEST_SECONDS = 180;
    /** Tries become rarer while the storage is away: the next may be a minute off. */
    private static final Duration CATCHES_UP = Duration.ofSeconds(75);

    @Override
    public String name() {
        return "storage-outage";
    }

    @Override
    public String about() {
        return "object storage is away for a while; writes go on, the backup is late and says so, and catches up";
    }

    @Override
    public boolean needsOwnStorage() {
        return true;
    }

    @Override
    public void run(Scene scene) throws Exception {
        Site site = scene.site();
        scene.deploy();
        scene.stage("ship", site::awaitShipped);
        Path aside = site.repositoryFolder().resolveSibling("repository-away");
        try (Traffic traffic = scene.begin()) {
            scene.stage("take the storage away", () -> {
                scene.breaks();
                Files.move(site.repositoryFolder(), aside);
                // A file in its place: nothing can be written below it.
                Files.createFile(site.repositoryFolder());
                return "";
            });
            scene.stage("the node says that its backup is late", () -> {
                String trouble = site.await(
                                "/backup",
                                "trouble is told",
                                LONGEST_SECONDS,
                                answer -> !answer.path("trouble").asText().isEmpty())
                        .path("trouble")
                        .asText();
                scene.measure("noticed_seconds", scene.sinceBreakMillis() / 1000.0);
                return trouble;
            });
            scene.hold("without storage", scene.plan().hold());
            scene.stage("give it back", () -> {
                Files.delete(site.repositoryFolder());
                Files.move(aside, site.repositoryFolder());
                return "";
            });
            long from = System.nanoTime();
            scene.stage("catch up", () -> {
                String shipped = site.awaitShipped();
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - from);
                scene.measure("caught_up_seconds", millis / 1000.0);
                scene.within("the backup catches up", CATCHES_UP, millis);
                return shipped;
            });
            traffic.close();
            Traffic.Totals totals = traffic.totals();
            scene.mostly("reads answered", totals.reads(), totals.readsFailed(), 99);
            scene.mostly("durable writes acknowledged", totals.writes(), totals.writesFailed(), 99);
        }
        scene.stage("ship the rest", site::awaitShipped);
        Loss.everythingAndBack(scene);
        scene.verify(Duration.ZERO);
        scene.judgeTraffic();
    }
}
