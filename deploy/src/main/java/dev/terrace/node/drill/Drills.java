package dev.terrace.node.drill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The drills there are, and how one is run. Stateless. */
public final class Drills {
    /** Shortest value that says of which write it is. */
    public static final int FEWEST_VALUE_BYTES = Values.FEWEST_BYTES;

    private static final Logger LOG = LoggerFactory.getLogger(Drills.class);
    private static final List<Drill> ALL = List.of(
            new L2Outage(),
            new L2Wipe(),
            new NodeLoss(),
            new TotalLoss(),
            new PointInTime(),
            new KeyRotation(),
            DamagedObject.tampered(),
            DamagedObject.lost(),
            new StorageOutage());

    private Drills() {}

    /** All of them, with what they break, in the order in which to learn them. */
    public static Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        ALL.forEach(drill -> all.put(drill.name(), drill.about()));
        return all;
    }

    /**
     * What is left of a drill.
     *
     * @param report how it went
     * @param evidence the folder with logs, settings, data and reports; null when it was removed
     */
    public record Outcome(DrillReport report, @Nullable Path evidence) {}

    /**
     * Runs one. What it started has ended when this returns.
     *
     * @param name one of {@link #all}
     * @param operator types commands
     * @param watcher is told a line about each step
     * @param keep whether the folder stays, whatever becomes of it; it stays when objectives were missed
     * @throws IllegalArgumentException when there is no such drill
     * @throws InterruptedException when the thread was interrupted
     */
    public static Outcome run(String name, DrillPlan plan, Operator operator, Consumer<String> watcher, boolean keep)
            throws IOException, InterruptedException {
        Drill drill = find(name).orElseThrow(() -> new IllegalArgumentException("there is no drill " + name));
        Path folder = Files.createTempDirectory("terrace-drill-" + name + "-");
        Instant began = InstantSource.system().instant();
        Timeline timeline = new Timeline(stage -> watcher.accept("  " + name + ": " + stage.name() + " ("
                + (stage.toMillis() - stage.fromMillis()) / 1000.0 + " s)"
                + (stage.detail().isEmpty() ? "" : "  ")
                + stage.detail().lines().findFirst().orElse("")));
        DrillReport report;
        boolean stays = true;
        try (Site site = Site.build(folder, plan, drill.needsOwnStorage(), operator)) {
            report = run(drill, new Scene(plan, site, timeline), timeline, began);
            stays = keep || !report.met();
            if (!stays) {
                empty(site);
            }
        } catch (InterruptedException e) {
            stays = false;
            throw e;
        } finally {
            if (!stays) {
                Site.remove(folder);
            }
        }
        if (stays) {
            write(report, folder);
        }
        return new Outcome(report, stays ? folder : null);
    }

    private static Optional<Drill> find(String name) {
        return ALL.stream().filter(drill -> drill.name().equals(name)).findFirst();
    }

    private static void empty(Site site) {
        try {
            site.emptyBucket();
        } catch (Exception e) {
            LOG.warn("what a drill left in its bucket could not be removed reason={}", e.toString());
        }
    }

    private static DrillReport run(Drill drill, Scene scene, Timeline timeline, Instant began)
            throws InterruptedException {
        String failure = "";
        try {
            drill.run(scene);
        } catch (InterruptedException e) {
            throw e;
        } catch (DrillFailure e) {
            failure = String.valueOf(e.getMessage());
        } catch (Exception e) {
            LOG.debug("a drill failed", e);
            failure = e.toString();
        } finally {
            scene.endTraffic();
        }
        DrillPlan plan = scene.plan();
        Map<String, Object> deployment = new TreeMap<>(scene.site().facts());
        deployment.put("entries", plan.entries());
        deployment.put("value_bytes", plan.valueBytes());
        deployment.put("settings", plan.baseName());
        deployment.put("processors", Runtime.getRuntime().availableProcessors());
        Traffic traffic = scene.traffic();
        return new DrillReport(
                drill.name(),
                drill.about(),
                began,
                timeline.millis(System.nanoTime()),
                deployment,
                plan.seed(),
                timeline.stages(),
                scene.brokenMillis(),
                traffic == null ? List.of() : traffic.buckets(),
                traffic == null ? null : traffic.totals(),
                scene.measured(),
                List.copyOf(scene.objectives()),
                failure);
    }

    /** Writes a report as {@code NAME.json} and {@code NAME.html}. */
    public static void write(DrillReport report, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(report.drill() + ".json"), report.prettyJson());
        Files.writeString(folder.resolve(report.drill() + ".html"), DrillPage.of(report));
    }
}
