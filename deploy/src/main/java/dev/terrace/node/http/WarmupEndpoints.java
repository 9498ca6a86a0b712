package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.WarmupPlan;
import dev.terrace.core.WarmupProgress;
import dev.terrace.core.WarmupReport;
import dev.terrace.node.jobs.Jobs;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Warm-ups as jobs. */
final class WarmupEndpoints {
    private static final String UNDERSTOOD =
            "; a plan may have caches (a list of names), max_entries, max_bytes, max_seconds and entries_per_second"
                    + " (whole numbers from 1), hit_ratio (above 0, at most 1), and local_too, shared, yield and trust_backup"
                    + " (true or false)";

    private final CacheCoordinator coordinator;
    private final Jobs jobs;

    WarmupEndpoints(CacheCoordinator coordinator, Jobs jobs) {
        this.coordinator = coordinator;
        this.jobs = jobs;
    }

    void addTo(Router router) {
        router.on("POST", "/warmup", this::warmup);
    }

    /** Begins one by the settings. */
    Jobs.Job start() {
        return start(WarmupPlan.everything(coordinator.settings().warmup()));
    }

    private Jobs.Job start(WarmupPlan plan) {
        return jobs.start("warmup", progress -> {
            WarmupReport report = coordinator.warmUp(plan, step -> progress.accept(tree(step)));
            Map<String, Object> end = new LinkedHashMap<>(tree(report.progress()));
            end.put("outcome", report.outcome().name().toLowerCase(Locale.ROOT));
            return end;
        });
    }

    private void warmup(Exchange exchange) throws IOException {
        Jobs.Job job = start(plan(exchange.jsonOrEmpty()));
        exchange.with("Location", "/jobs/" + job.id()).json(202, OperationsEndpoints.tree(job));
    }

    private WarmupPlan plan(JsonNode json) {
        refuseUnknown(json);
        WarmupPlan all = WarmupPlan.everything(coordinator.settings().warmup());
        Set<String> caches = new HashSet<>();
        json.path("caches").forEach(name -> caches.add(name.asText()));
        JsonNode seconds = json.path("max_seconds");
        return new WarmupPlan(
                caches,
                json.path("max_entries").asLong(all.maxEntries()),
                json.path("max_bytes").asLong(all.maxBytes()),
                json.path("hit_ratio").asDouble(all.hitRatio()),
                seconds.isMissingNode()
                        ? all.maxTime()
                        : Duration.ofSeconds(Math.min(seconds.asLong(), LONGEST_SECONDS)),
                (int) Math.min(
                        Integer.MAX_VALUE, json.path("entries_per_second").asLong(all.entriesPerSecond())),
                json.path("yield").asBoolean(true) ? all.yieldAboveNanos() : 0,
                json.path("local_too").asBoolean(all.localToo()),
                json.path("shared").asBoolean(all.shared()),
                json.path("trust_backup").asBoolean(all.trustsBackup()),
                all.memoryBytes());
    }

    private static final long LONGEST_SECONDS = WarmupPlan.LONGEST.toSeconds();

    /** A mistyped limit must not warm up everything. */
    private static void refuseUnknown(JsonNode plan) {
        plan.properties().forEach(field -> {
            JsonNode value = field.getValue();
            boolean right = switch (field.getKey()) {
                case "caches" -> value.isArray();
                case "max_entries", "max_bytes", "max_seconds", "entries_per_second" ->
                    value.isIntegralNumber() && value.canConvertToLong() && value.asLong() >= 1;
                case "hit_ratio" -> value.isNumber() && value.asDouble() > 0 && value.asDouble() <= 1;
                case "local_too", "shared", "yield", "trust_backup" -> value.isBoolean();
                default -> false;
            };
            if (!right) {
                throw new HttpProblem(400, "Bad request", "'" + field.getKey() + "' is not understood" + UNDERSTOOD);
            }
        });
    }

    private static Map<String, Object> tree(WarmupProgress progress) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("read", progress.read());
        tree.put("copied", progress.copied());
        tree.put("superseded", progress.superseded());
        tree.put("failed", progress.failed());
        tree.put("doubted", progress.doubted());
        tree.put("bytes", progress.bytes());
        tree.put("total", progress.total());
        tree.put("parts", progress.parts());
        tree.put("all_parts", progress.allParts());
        tree.put("entries_per_second", progress.entriesPerSecond());
        tree.put("seconds", Jobs.seconds(progress.elapsed()));
        return tree;
    }
}
