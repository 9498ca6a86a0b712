package dev.terrace.config;

import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Shows settings as they are in force: as YAML that can be read again, secrets aside, or as a tree for JSON. */
public final class EffectiveSettings {
    private EffectiveSettings() {}

    /** The settings as nested maps; durations and sizes as text, secrets masked, unset keys left out. */
    public static Map<String, Object> tree(Settings settings) {
        Map<String, Object> root = new LinkedHashMap<>();
        LocalCacheSettings l1 = settings.localCache();
        Map<String, Object> local = child(root, "local_cache");
        put(local, "enabled", l1.enabled());
        put(local, "capacity", l1.capacity());
        put(local, "max_memory_mb", l1.maxMemoryMib());
        put(local, "ttl", l1.ttl());
        put(local, "eviction_policy", l1.evictionPolicy());
        put(local, "sweep_interval", l1.sweepInterval());
        put(local, "shrink_at", percent(l1.shrinkAtPercent()));
        put(local, "cgroup", l1.cgroup());
        put(local, "huge_pages", l1.hugePages());
        put(local, "persist", l1.persist());
        remote(child(root, "distributed_cache"), settings.distributedCache());
        backup(child(root, "backup_storage"), settings.backupStorage());
        breaker(child(root, "circuit_breaker"), settings.circuitBreaker());
        Map<String, Object> failover = child(root, "failover");
        put(failover, "strategy", settings.failover().strategy());
        put(failover, "fallback_to_local", settings.failover().fallbackToLocal());
        put(failover, "readonly_mode_timeout", settings.failover().readonlyModeTimeout());
        put(failover, "direct_request_timeout", settings.failover().directRequestTimeout());
        put(failover, "hold_down", settings.failover().holdDown());
        put(failover, "probe_interval", settings.failover().probeInterval());
        Map<String, Object> loading = child(root, "loading");
        put(loading, "timeout", settings.loading().timeout());
        put(loading, "threads", settings.loading().threads());
        put(loading, "waiters", settings.loading().waiters());
        Map<String, Object> limits = child(root, "limits");
        put(limits, "max_key_bytes", settings.limits().maxKeyBytes());
        put(limits, "max_value_bytes", settings.limits().maxValueBytes());
        put(limits, "max_clock_drift", settings.limits().maxClockDrift());
        put(limits, "tombstone_retention", settings.limits().tombstoneRetention());
        put(limits, "close_timeout", settings.limits().closeTimeout());
        policies(root, settings);
        Map<String, Object> server = child(root, "server");
        put(server, "host", settings.server().host());
        put(server, "port", settings.server().port());
        put(server, "token", settings.server().token());
        put(server, "max_body_bytes", settings.server().maxBodyBytes());
        put(server, "chaos", settings.server().chaos());
        put(server, "environment", settings.server().environment());
        backplane(child(root, "backplane"), settings.backplane());
        Map<String, Object> journal = child(root, "journal");
        put(journal, "path", settings.journal().path());
        put(journal, "sync", settings.journal().sync());
        put(journal, "sync_delay", settings.journal().syncDelay());
        put(journal, "max_entries", settings.journal().maxEntries());
        put(journal, "max_mb", settings.journal().maxMib());
        put(journal, "max_dead", settings.journal().maxDead());
        put(journal, "full_timeout", settings.journal().fullTimeout());
        put(journal, "threads", settings.journal().threads());
        Map<String, Object> warmup = child(root, "warmup");
        put(warmup, "on_start", settings.warmup().onStart());
        put(warmup, "entries_per_second", settings.warmup().entriesPerSecond());
        put(warmup, "max_memory_mb", settings.warmup().maxMemoryMib());
        put(warmup, "yield_above", settings.warmup().yieldAbove());
        put(warmup, "heat_keys", settings.warmup().heatKeys());
        put(warmup, "heat_interval", settings.warmup().heatInterval());
        if (!settings.origins().isEmpty()) {
            Map<String, Object> origins = child(root, "origins");
            settings.origins().forEach((name, origin) -> origin(child(origins, name), origin));
        }
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put(SettingsLoader.ROOT, root);
        return whole;
    }

    private static void remote(Map<String, Object> into, DistributedCacheSettings l2) {
        put(into, "enabled", l2.enabled());
        put(into, "backend", l2.backend());
        if (l2.replication().zones().isEmpty()) {
            put(into, "cluster_nodes", addresses(l2.clusterNodes()));
            put(into, "topology", l2.topology());
            put(into, "sentinel_master", l2.sentinelMaster());
        } else {
            put(
                    into,
                    "zones",
                    l2.replication().zones().stream()
                            .map(EffectiveSettings::zone)
                            .toList());
        }
        put(into, "replication_factor", l2.replicationFactor());
        put(into, "consistency_level", l2.consistencyLevel());
        put(into, "ttl", l2.ttl());
        put(into, "timeout", l2.timeout());
        put(into, "soft_timeout", l2.softTimeout());
        put(into, "connect_timeout", l2.connectTimeout());
        put(into, "pool_size", l2.poolSize());
        put(into, "database", l2.database());
        put(into, "key_prefix", l2.keyPrefix());
        put(into, "username", l2.username());
        put(into, "password", l2.password());
        tls(into, l2.tls());
        ReplicationSettings replication = l2.replication();
        Map<String, Object> hints = child(into, "hints");
        put(hints, "max_entries", replication.hints().maxEntries());
        put(hints, "window", replication.hints().window());
        put(child(into, "resync"), "entries_per_second", replication.resyncEntriesPerSecond());
        Map<String, Object> compare = child(into, "compare");
        put(compare, "interval", replication.compare().interval());
        put(compare, "entries_per_second", replication.compare().entriesPerSecond());
        Map<String, Object> hedge = child(into, "hedge");
        put(hedge, "enabled", replication.hedge().enabled());
        put(hedge, "at_least", replication.hedge().atLeast());
        put(into, "majority_forgot", replication.majorityForgot());
        put(into, "wait_for_disk", replication.waitForDisk());
    }

    private static List<String> addresses(List<HostAndPort> nodes) {
        return nodes.stream().map(HostAndPort::toString).toList();
    }

    private static Map<String, Object> zone(ZoneSettings zone) {
        Map<String, Object> into = new LinkedHashMap<>();
        put(into, "name", zone.name());
        put(into, "nodes", addresses(zone.nodes()));
        put(into, "topology", zone.topology());
        put(into, "weight", zone.weight());
        put(into, "sentinel_master", zone.sentinelMaster());
        put(into, "username", zone.username());
        put(into, "password", zone.password());
        tls(into, zone.tls());
        put(into, "nearest", zone.nearest());
        put(into, "state", zone.state());
        return into;
    }

    private static void tls(Map<String, Object> around, @Nullable TlsSettings settings) {
        if (settings != null) {
            Map<String, Object> tls = child(around, "tls");
            put(tls, "ca_file", settings.caFile());
            put(tls, "certificate_file", settings.certificateFile());
            put(tls, "key_file", settings.keyFile());
            put(tls, "verify_hostname", settings.verifyHostname());
        }
    }

    private static void backplane(Map<String, Object> into, BackplaneSettings settings) {
        put(into, "enabled", settings.enabled());
        put(into, "max_length", settings.maxLength());
        put(into, "beat", settings.beat() == null ? Section.AUTO : settings.beat());
        put(into, "lease", settings.lease());
        put(into, "external_writers", settings.externalWriters());
        Map<String, Object> group = child(into, "group");
        put(group, "enabled", settings.group().enabled());
        put(group, "bind", settings.group().bind());
        put(group, "port", settings.group().port());
        if (!settings.group().members().isEmpty()) {
            put(group, "members", addresses(settings.group().members()));
        }
        put(group, "dns", settings.group().dns());
        put(group, "secret", settings.group().secret());
    }

    private static void backup(Map<String, Object> into, BackupStorageSettings l3) {
        put(into, "enabled", l3.enabled());
        put(into, "backend", l3.backend());
        put(into, "path", l3.path());
        put(into, "compression", l3.compression());
        put(into, "encryption", l3.encryption());
        put(into, "keystore", l3.keystore());
        put(into, "keystore_alias", l3.keystoreAlias());
        put(into, "passphrase", l3.passphrase());
        put(into, "key_service", l3.keyService());
        put(into, "key_name", l3.keyName());
        put(into, "retention", l3.retention());
        put(into, "durable", l3.durable());
        put(into, "timeout", l3.timeout());
        put(into, "soft_timeout", l3.softTimeout());
        put(into, "queue_entries", l3.queueEntries());
        put(into, "queue_mb", l3.queueMib());
        put(into, "ship_interval", l3.schedule().shipInterval());
        put(into, "snapshot_every", l3.schedule().snapshotEvery());
        Map<String, Object> keep = child(into, "keep");
        put(keep, "hourly", l3.schedule().keepHourly());
        put(keep, "daily", l3.schedule().keepDaily());
        put(child(into, "restore"), "on_start", l3.restore());
        ObjectStorageSettings storage = l3.objectStorage();
        if (storage != null) {
            objectStorage(child(into, "object_storage"), storage);
        }
    }

    private static void objectStorage(Map<String, Object> into, ObjectStorageSettings storage) {
        put(into, "url", storage.url().toString());
        put(
                into,
                "endpoint",
                storage.endpoint() == null ? null : storage.endpoint().toString());
        put(into, "region", storage.region());
        put(into, "path_style", storage.pathStyle());
        put(into, "credentials", storage.credentials());
        put(into, "access_key", storage.accessKey());
        put(into, "secret_key", storage.secretKey());
        put(into, "profile", storage.profile());
        put(into, "storage_class", storage.storageClass());
        put(into, "encryption", storage.encryption());
        put(into, "kms_key", storage.kmsKey());
        put(into, "anchor", storage.anchor() == null ? null : storage.anchor().toString());
        put(into, "sealed_to", storage.sealedTo().isEmpty() ? null : storage.sealedTo());
        put(into, "timeout", storage.timeout());
        put(into, "parallel", storage.parallel());
        put(into, "part_mb", storage.partMib());
        put(into, "max_mb_per_second", storage.maxMibPerSecond());
    }

    private static void breaker(Map<String, Object> into, CircuitBreakerSettings settings) {
        put(into, "enabled", settings.enabled());
        put(into, "failure_threshold", settings.failureThreshold());
        put(into, "timeout", settings.timeout());
        put(into, "reset_timeout", settings.resetTimeout());
        put(into, "slow_call_rate", settings.slowCallPercent() + "%");
    }

    private static void origin(Map<String, Object> into, OriginSettings settings) {
        putLimit(into, "max_concurrent", settings.maxConcurrent());
        put(into, "adaptive", settings.adaptive());
        put(into, "max_wait", settings.maxWait());
        putLimit(into, "rate", settings.ratePerSecond());
        putLimit(into, "fleet_rate", settings.fleetRatePerSecond());
        put(into, "burst", settings.burst());
        breaker(child(into, "breaker"), settings.breaker());
    }

    private static void putLimit(Map<String, Object> into, String key, int limit) {
        if (limit > 0) {
            put(into, key, limit);
        }
    }

    private static void policies(Map<String, Object> root, Settings settings) {
        if (!settings.caches().isEmpty()) {
            Map<String, Object> caches = child(root, "caches");
            settings.caches().forEach((name, policy) -> policy(child(caches, name), policy));
        }
        if (!settings.classes().isEmpty()) {
            List<Object> classes = new ArrayList<>();
            for (CacheClass cacheClass : settings.classes()) {
                Map<String, Object> one = new LinkedHashMap<>();
                put(one, "pattern", cacheClass.pattern());
                put(one, "class", cacheClass.name());
                policy(one, cacheClass.policy());
                classes.add(one);
            }
            root.put("classes", classes);
        }
    }

    private static void policy(Map<String, Object> into, CachePolicy policy) {
        put(into, "ttl", policy.ttl());
        put(into, "stale_ttl", policy.staleTtl());
        put(into, "negative_ttl", policy.negativeTtl());
        put(into, "durable", policy.durable());
        put(into, "consistency", policy.consistency());
        put(into, "staleness_bound", policy.stalenessBound());
        put(into, "replication", policy.replication());
        put(into, "compression", policy.compression());
        if (policy.localShare() != null) {
            Map<String, Object> share = child(into, "l1_share");
            put(share, "reserved", percent(policy.localShare().reservedPercent()));
            put(share, "most", percent(policy.localShare().mostPercent()));
        }
        if (policy.failover() != null) {
            Map<String, Object> failover = child(into, "failover");
            put(failover, "max_rung", policy.failover().maxRung());
            put(failover, "never_stale", policy.failover().neverStale());
        }
        if (policy.nearCache() != null) {
            Map<String, Object> near = child(into, "near_cache");
            put(near, "entries", policy.nearCache().entries());
            put(near, "ttl", policy.nearCache().ttl());
        }
        if (!policy.loading().equals(LoadingPolicy.INHERIT)) {
            loading(child(into, "loading"), policy.loading());
        }
        if (!policy.origin().equals(OriginPolicy.INHERIT)) {
            Map<String, Object> origin = child(into, "origin");
            put(origin, "name", policy.origin().name());
            put(origin, "single_flight", policy.origin().singleFlight());
        }
        WritePolicy write = policy.write();
        if (write != null) {
            Map<String, Object> way = child(into, "write");
            put(way, "policy", write.policy());
            put(way, "timeout", write.timeout());
            put(way, "delay", write.delay());
            put(way, "batch", write.batch());
            put(way, "max_attempts", write.maxAttempts());
            put(way, "backoff", write.backoff());
            put(way, "longest_backoff", write.longestBackoff());
        }
    }

    private static void loading(Map<String, Object> into, LoadingPolicy policy) {
        put(into, "soft_timeout", policy.softTimeout());
        put(into, "hard_timeout", policy.hardTimeout());
        put(into, "stale_while_revalidate", policy.staleWhileRevalidate());
        put(into, "fail_safe_throttle", policy.failSafeThrottle());
        put(into, "refresh_ahead", policy.refreshAhead());
        put(into, "eager_refresh", percent(policy.eagerRefreshPercent()));
        put(into, "ttl_jitter", percent(policy.ttlJitterPercent()));
        put(into, "sliding", policy.sliding());
    }

    private static @Nullable String percent(@Nullable Integer percent) {
        return percent == null ? null : percent + "%";
    }

    private static Map<String, Object> child(Map<String, Object> parent, String key) {
        Map<String, Object> child = new LinkedHashMap<>();
        parent.put(key, child);
        return child;
    }

    private static void put(Map<String, Object> into, String key, @Nullable Object value) {
        if (value instanceof Duration duration) {
            into.put(key, DurationText.format(duration));
        } else if (value instanceof Enum<?> constant) {
            into.put(key, constant.name().toLowerCase(Locale.ROOT));
        } else if (value instanceof Secret || value instanceof Path) {
            into.put(key, value.toString());
        } else if (value != null) {
            into.put(key, value);
        }
    }

    /** The settings as YAML; lines that the file did not set end in {@code # default}. */
    public static String yaml(LoadedSettings loaded) {
        StringBuilder out = new StringBuilder();
        mapping(out, tree(loaded.settings()), "", "", loaded);
        return out.toString();
    }

    private static void mapping(StringBuilder out, Map<?, ?> map, String path, String indent, LoadedSettings loaded) {
        map.forEach((key, value) -> {
            String here = path.isEmpty() ? key.toString() : path + "." + key;
            out.append(indent).append(quoteIfNeeded(key.toString())).append(':');
            if (value instanceof Map<?, ?> child) {
                out.append(child.isEmpty() ? " {}\n" : "\n");
                mapping(out, child, here, indent + "  ", loaded);
            } else if (value instanceof List<?> list && !list.isEmpty() && list.get(0) instanceof Map<?, ?>) {
                out.append('\n');
                list.forEach(item ->
                        out.append(indent).append("  - ").append(flow(item)).append('\n'));
            } else {
                out.append(' ').append(flow(value));
                out.append(loaded.explicit().contains(here) ? "\n" : "   # default\n");
            }
        });
    }

    private static String flow(@Nullable Object value) {
        if (value instanceof List<?> list) {
            return "["
                    + String.join(
                            ", ", list.stream().map(EffectiveSettings::flow).toList()) + "]";
        }
        if (value instanceof Map<?, ?> map) {
            List<String> parts = new ArrayList<>();
            map.forEach((key, item) -> parts.add(key + ": " + flow(item)));
            return "{" + String.join(", ", parts) + "}";
        }
        return value instanceof Number || value instanceof Boolean
                ? value.toString()
                : quoted(References.escape(String.valueOf(value)));
    }

    /** A double-quoted YAML scalar that is one line whatever the text holds. */
    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            if (c == '"' || c == '\\') {
                out.append('\\').appendCodePoint(c);
            } else if (c >= ' ' && c <= '~' || Character.isLetterOrDigit(c)) {
                out.appendCodePoint(c);
            } else {
                out.append(String.format(Locale.ROOT, "\\U%08X", c));
            }
        });
        return out.append('"').toString();
    }

    private static String quoteIfNeeded(String key) {
        return key.matches("[A-Za-z][A-Za-z0-9_-]*") && !key.matches("(?i)true|false|yes|no|on|off|null|y|n")
                ? key
                : quoted(key);
    }
}
