package dev.terrace.node.http;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.Metric;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Snapshot;
import com.codahale.metrics.Timer;
import dev.terrace.api.LadderStatus;
import dev.terrace.api.Rung;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.CoherenceStatus;
import dev.terrace.node.jobs.Jobs;
import dev.terrace.spi.TierStatus;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.dropwizard.DropwizardExports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Health, metrics, jobs. */
final class OperationsEndpoints {
    private final CacheCoordinator coordinator;
    private final Jobs jobs;
    private final DropwizardExports exports;
    private final PrometheusTextFormatWriter prometheus = PrometheusTextFormatWriter.create();

    OperationsEndpoints(CacheCoordinator coordinator, Jobs jobs) {
        this.coordinator = coordinator;
        this.jobs = jobs;
        this.exports = new DropwizardExports(coordinator.metrics());
    }

    void addTo(Router router) {
        router.open("GET", "/health/live", exchange -> exchange.json(200, Map.of("status", "live")))
                .on("GET", "/health/ready", this::ready)
                .on("GET", "/cache-metrics", this::cacheMetrics)
                .on("GET", "/metrics", this::metrics)
                .on("GET", "/jobs/*", this::job)
                .on("DELETE", "/jobs/*", this::stop)
                .on("GET", "/", this::index);
    }

    private void index(Exchange exchange) {
        exchange.text(200, """
                Terrace, a multi-tier cache. Try:

                  PUT    /v1/caches/{cache}/entries/{key}            store the body
                  GET    /v1/caches/{cache}/entries/{key}            read it; headers say which tier answered
                  DELETE /v1/caches/{cache}/entries/{key}            invalidate it
                  DELETE /v1/caches/{cache}/tags/{tag}               invalidate what carries the tag
                  DELETE /v1/caches/{cache}   /v1/namespaces/{namespace}
                  GET    /v1/caches/{cache}/entries/{key}/explain    what every tier holds, and why
                  POST   /v1/caches/{cache}/entries/{key}/increment?delta=1
                  POST   /v1/caches/{cache}/bulk/get | bulk/put
                  POST   /invalidate   POST /warmup   POST /backup   GET, DELETE /jobs/{id}
                  GET    /local   /zones   /coherence   /ladder   /journal   /backup
                  GET    /cache-metrics   /metrics   /health/live   /health/ready
                """);
    }

    private void ready(Exchange exchange) throws IOException {
        List<TierStatus> tiers = coordinator.tiers();
        boolean ready = coordinator.ladder().rung() != Rung.REJECT
                && tiers.stream().anyMatch(tier -> tier.state() == TierStatus.State.READY);
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("status", ready ? "ready" : "not ready");
        tree.put("tiers", tiers(tiers));
        LadderStatus ladder = coordinator.ladder();
        tree.put("rung", ladder.rung().text());
        tree.put("rung_since", ladder.since().toString());
        tree.put("rung_cause", ladder.cause());
        tree.put("rung_lift", ladder.lift());
        Map<String, String> inTrouble = new TreeMap<>(ladder.signals());
        inTrouble.values().removeIf(said -> said.equals("up"));
        if (!inTrouble.isEmpty()) {
            tree.put("in_trouble", inTrouble);
        }
        putCoherence(tree);
        exchange.json(ready ? 200 : 503, tree);
    }

    /** How well this node hears the others and other programs, a line each; nothing of what is not asked for. {@code /coherence} tells the rest. */
    private void putCoherence(Map<String, Object> tree) {
        CoherenceStatus status = coordinator.coherence();
        if (status != null) {
            tree.put("coherence", status.line());
        }
        List<String> unheard = coordinator.externalWriters().stream()
                .filter(watch -> !watch.trouble().isEmpty())
                .map(watch -> watch.name() + ": " + watch.trouble())
                .toList();
        if (!unheard.isEmpty()) {
            tree.put("external_writers", "not all changes by other programs are heard, " + String.join(", ", unheard));
        }
    }

    private static List<Object> tiers(List<TierStatus> tiers) {
        List<Object> list = new ArrayList<>();
        for (TierStatus tier : tiers) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("tier", tier.level().name());
            one.put("state", tier.state().name().toLowerCase(Locale.ROOT));
            one.put("description", tier.description());
            one.put("detail", tier.detail());
            one.put("entries", tier.entries());
            one.put("bytes", tier.bytes());
            list.add(one);
        }
        return list;
    }

    private void cacheMetrics(Exchange exchange) throws IOException {
        Map<String, Object> metrics = new LinkedHashMap<>();
        MetricRegistry registry = coordinator.metrics();
        registry.getMetrics().forEach((name, metric) -> metrics.put(name, value(metric)));
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("tiers", tiers(coordinator.tiers()));
        tree.put("metrics", metrics);
        exchange.json(200, tree);
    }

    private static Object value(Metric metric) {
        if (metric instanceof Counter counter) {
            return counter.getCount();
        }
        if (metric instanceof Gauge<?> gauge) {
            return String.valueOf(gauge.getValue()).isEmpty() ? "" : gauge.getValue();
        }
        if (metric instanceof Timer timer) {
            Snapshot snapshot = timer.getSnapshot();
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("count", timer.getCount());
            tree.put("p50_micros", micros(snapshot.getMedian()));
            tree.put("p95_micros", micros(snapshot.get95thPercentile()));
            tree.put("p99_micros", micros(snapshot.get99thPercentile()));
            tree.put("max_micros", micros((double) snapshot.getMax()));
            return tree;
        }
        return metric.toString();
    }

    private static double micros(double nanos) {
        return Math.rint(nanos / 100) / 10;
    }

    private void metrics(Exchange exchange) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        prometheus.write(out, exports.collect());
        exchange.bytes(200, PrometheusTextFormatWriter.CONTENT_TYPE, out.toByteArray());
    }

    private void job(Exchange exchange) throws IOException {
        exchange.json(200, tree(found(jobs.find(exchange.segment(1)))));
    }

    private void stop(Exchange exchange) throws IOException {
        exchange.json(202, tree(found(jobs.stop(exchange.segment(1)))));
    }

    private static Jobs.Job found(Jobs.@Nullable Job job) {
        if (job == null) {
            throw new HttpProblem(404, "Not found", "no job has this number, or it was long ago");
        }
        return job;
    }

    static Map<String, Object> tree(Jobs.Job job) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("id", job.id());
        tree.put("kind", job.kind());
        tree.put("state", job.state());
        tree.put("progress", job.progress());
        if (job.error() != null) {
            tree.put("error", job.error());
        }
        return tree;
    }
}
