package dev.terrace.node.drill;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a drill went. Holds what was measured and nothing else. Immutable.
 *
 * @param drill its name
 * @param about what was broken
 * @param began when
 * @param millis how long it took
 * @param deployment what it ran on
 * @param seed repeats its keys and values
 * @param stages what was done when
 * @param brokenMillis when it was broken, since it began; -1 when it did not come so far
 * @param traffic how much was answered in each quarter of a second; empty without live traffic
 * @param totals of live traffic, or null without
 * @param measured numbers by name; times in seconds
 * @param objectives what had to hold
 * @param failure why it could not be brought to its end; empty when it was
 */
public record DrillReport(
        String drill,
        String about,
        Instant began,
        long millis,
        Map<String, Object> deployment,
        long seed,
        List<Timeline.Stage> stages,
        long brokenMillis,
        List<Traffic.Bucket> traffic,
        Traffic.@Nullable Totals totals,
        Map<String, Object> measured,
        List<Objective> objectives,
        String failure) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * What had to hold.
     *
     * @param name what
     * @param limit what was asked for
     * @param measured what was
     * @param met whether that is enough
     */
    public record Objective(String name, String limit, String measured, boolean met) {}

    /** Whether it came to its end and every objective was met. */
    public boolean met() {
        return failure.isEmpty() && !objectives.isEmpty() && objectives.stream().allMatch(Objective::met);
    }

    /** For machines. */
    public ObjectNode json() {
        ObjectNode tree = JSON.createObjectNode()
                .put("drill", drill)
                .put("about", about)
                .put("verdict", met() ? "met" : "missed")
                .put("failure", failure)
                .put("began", began.toString())
                .put("seconds", millis / 1000.0)
                .put("seed", seed);
        tree.set("deployment", JSON.valueToTree(deployment));
        tree.set("measured", JSON.valueToTree(measured));
        ArrayNode asked = tree.putArray("objectives");
        objectives.forEach(objective -> asked.addObject()
                .put("name", objective.name())
                .put("limit", objective.limit())
                .put("measured", objective.measured())
                .put("verdict", objective.met() ? "met" : "missed"));
        tree.put("broken_at_seconds", brokenMillis < 0 ? null : brokenMillis / 1000.0);
        ArrayNode steps = tree.putArray("stages");
        stages.forEach(stage -> steps.addObject()
                .put("name", stage.name())
                .put("from_seconds", stage.fromMillis() / 1000.0)
                .put("to_seconds", stage.toMillis() / 1000.0)
                .put("failed", stage.failed())
                .put("detail", stage.detail()));
        if (totals != null) {
            tree.putObject("traffic")
                    .put("reads", totals.reads())
                    .put("reads_failed", totals.readsFailed())
                    .put("reads_stale", totals.readsStale())
                    .put("reads_wrong", totals.readsWrong())
                    .put("writes", totals.writes())
                    .put("writes_failed", totals.writesFailed());
        }
        return tree;
    }

    /** For machines, over several lines. */
    String prettyJson() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of plain values", e);
        }
    }

    /** For people. */
    public void print(Consumer<String> out) {
        out.accept(drill + ": " + (met() ? "objectives met" : "OBJECTIVES MISSED") + " (" + millis / 1000.0
                + " s, seed " + seed + ")");
        if (!failure.isEmpty()) {
            out.accept("  failed: " + failure);
        }
        measure(out, "rpo_seconds", "RPO", " s");
        measure(out, "rto_seconds", "RTO", " s");
        measure(out, "entries_verified", "entries verified", " of " + measured.getOrDefault("entries", "?"));
        measure(out, "writes_lost", "writes lost", " of " + measured.getOrDefault("writes_acknowledged", "?"));
        for (Objective objective : objectives) {
            out.accept("  " + (objective.met() ? "met    " : "MISSED ") + objective.name() + ": " + objective.measured()
                    + " (asked for: " + objective.limit() + ")");
        }
    }

    private void measure(Consumer<String> out, String name, String text, String unit) {
        Object value = measured.get(name);
        out.accept("  " + text + ": " + (value == null ? "not measured" : value + unit));
    }
}
