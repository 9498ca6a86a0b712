package dev.terrace.node.http;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.Metric;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.ZoneSettings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.CoherenceStatus;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What this node knows of the zones of L2 and of the other nodes. */
final class FleetEndpoints {
    private static final String ZONE = "replication.zone.";
    private static final String STANDING = ".standing";

    private final CacheCoordinator coordinator;

    FleetEndpoints(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    void addTo(Router router) {
        router.on("GET", "/zones", this::zones).on("GET", "/coherence", this::coherence);
    }

    private void zones(Exchange exchange) throws IOException {
        DistributedCacheSettings remote = coordinator.settings().distributedCache();
        List<Object> zones = new ArrayList<>();
        boolean several = false;
        if (remote.enabled()) {
            for (ZoneSettings zone : remote.zones()) {
                several |= metrics().getGauges().containsKey(ZONE + zone.name() + STANDING);
            }
            for (ZoneSettings zone : several ? remote.zones() : List.of(remote.oneZone())) {
                zones.add(several ? zone(zone) : alone(zone));
            }
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("replicated", several);
        tree.put("copies", several ? remote.replicationFactor() : 1);
        tree.put("zones", zones);
        tree.put("metrics", under("replication.", several ? ZONE : ""));
        exchange.json(200, tree);
    }

    private MetricRegistry metrics() {
        return coordinator.metrics();
    }

    private Map<String, Object> zone(ZoneSettings zone) {
        Map<String, Object> tree = described(zone);
        Map<String, Object> told = under(ZONE + zone.name() + ".", "");
        Object standing = told.remove("standing");
        tree.put("state", String.valueOf(standing).toLowerCase(Locale.ROOT));
        Gauge<?> breaker = metrics().getGauges().get("guard.zone." + zone.name() + ".state");
        if (breaker != null) {
            tree.put("breaker", String.valueOf(breaker.getValue()).toLowerCase(Locale.ROOT));
        }
        tree.putAll(told);
        return tree;
    }

    private static Map<String, Object> described(ZoneSettings zone) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("zone", zone.name());
        tree.put("nodes", zone.nodes().stream().map(HostAndPort::toString).toList());
        return tree;
    }

    /** The only deployment does not vote: it is there or it is not. */
    private Map<String, Object> alone(ZoneSettings zone) {
        Map<String, Object> tree = described(zone);
        coordinator.tiers().stream()
                .filter(tier -> tier.level() == TierLevel.L2)
                .forEach(tier -> {
                    tree.put("state", state(tier));
                    tree.put("detail", tier.detail());
                });
        return tree;
    }

    private static String state(TierStatus tier) {
        return tier.state() == TierStatus.State.READY
                ? "reachable"
                : tier.state().name().toLowerCase(Locale.ROOT);
    }

    /** Counters and gauges whose names begin so, without that beginning, and with underscores. */
    private Map<String, Object> under(String prefix, String except) {
        Map<String, Object> found = new TreeMap<>();
        metrics().getMetrics().forEach((name, metric) -> {
            if (name.startsWith(prefix) && (except.isEmpty() || !name.startsWith(except))) {
                Object value = value(metric);
                if (value != null) {
                    found.put(name.substring(prefix.length()).replace('.', '_'), value);
                }
            }
        });
        return found;
    }

    private static @Nullable Object value(Metric metric) {
        if (metric instanceof Counter counter) {
            return counter.getCount();
        }
        return metric instanceof Gauge<?> gauge ? gauge.getValue() : null;
    }

    private static List<Object> channels(List<CoherenceStatus.Channel> told) {
        List<Object> channels = new ArrayList<>();
        for (CoherenceStatus.Channel channel : told) {
            channels.add(Map.of("channel", channel.name(), "trouble", channel.trouble()));
        }
        return channels;
    }

    private void coherence(Exchange exchange) throws IOException {
        CoherenceStatus status = coordinator.coherence();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("backplane", status != null);
        if (status != null) {
            tree.put("trusted", status.trusted());
            tree.put(
                    "trusted_since",
                    status.trustedSince() == null ? null : status.trustedSince().toString());
            tree.put(
                    "heard_everything_up_to_millis_ago",
                    status.stalenessMillis() == Long.MAX_VALUE ? null : status.stalenessMillis());
            tree.put("other_nodes", status.nodes());
            tree.put("unsent_notices", status.unsent());
            tree.put("gaps", status.gaps());
            tree.put("node_id_clash", status.nodeIdClash());
            tree.put("channels", channels(status.channels()));
        }
        tree.put("external_writers", channels(coordinator.externalWriters()));
        tree.put("lease_millis", coordinator.settings().backplane().lease().toMillis());
        Map<String, Object> caches = new TreeMap<>();
        coordinator.consistencies().forEach((name, cache) -> {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("consistency", cache.consistency());
            one.put("bound_millis", cache.bound() == null ? null : cache.bound().toMillis());
            one.put("trusted", cache.trusted());
            caches.put(name, one);
        });
        tree.put("caches", caches);
        tree.put("metrics", under("coherence.", ""));
        tree.put("logs", under("backplane.", ""));
        exchange.json(200, tree);
    }
}
