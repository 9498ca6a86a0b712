package dev.terrace.config;

import dev.terrace.config.BackupStorageSettings.Backend;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns the sections of a file into settings records. */
final class SettingsBinder {
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final Duration YEAR = Duration.ofDays(365);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private SettingsBinder() {}

    static Settings bind(Section root) {
        Settings settings = new Settings(
                localCache(root.section("local_cache")),
                distributedCache(root.section("distributed_cache")),
                backupStorage(root.section("backup_storage")),
                circuitBreaker(root.section("circuit_breaker")),
                failover(root.section("failover")),
                loading(root.section("loading")),
                limits(root.section("limits")),
                caches(root.section("caches")),
                classes(root.sections("classes")),
                server(root.section("server")));
        root.finish();
        return settings;
    }

    private static LocalCacheSettings localCache(Section in) {
        LocalCacheSettings d = LocalCacheSettings.defaults();
        LocalCacheSettings settings = new LocalCacheSettings(
                in.flag("enabled", d.enabled()),
                in.number("capacity", d.capacity(), 1, 500_000_000),
                in.mebibytes("max_memory_mb", d.maxMemoryMib(), 1, 1 << 20),
                in.duration("ttl", d.ttl(), MILLISECOND, YEAR),
                in.choice("eviction_policy", LocalCacheSettings.EvictionPolicy.class, d.evictionPolicy()),
                in.duration("sweep_interval", d.sweepInterval(), Duration.ofMillis(10), Duration.ofHours(1)));
        in.finish();
        return settings;
    }

    private static DistributedCacheSettings distributedCache(Section in) {
        DistributedCacheSettings d = DistributedCacheSettings.defaults();
        String backend = in.text("backend", d.backend());
        if (!backend.equals("redis")) {
            in.wrong("backend", backend, "must be redis", Spelling.closest(backend, List.of("redis")));
        }
        DistributedCacheSettings settings = new DistributedCacheSettings(
                in.flag("enabled", d.enabled()),
                backend,
                nodes(in, d.clusterNodes()),
                in.choice("topology", DistributedCacheSettings.Topology.class, d.topology()),
                in.text("sentinel_master"),
                (int) in.number("replication_factor", d.replicationFactor(), 1, 16),
                in.choice("consistency_level", DistributedCacheSettings.ConsistencyLevel.class, d.consistencyLevel()),
                in.duration("ttl", d.ttl(), MILLISECOND, YEAR),
                in.duration("timeout", d.timeout(), MILLISECOND, MINUTE),
                in.duration("connect_timeout", d.connectTimeout(), Duration.ofMillis(10), MINUTE),
                (int) in.number("pool_size", d.poolSize(), 1, 512),
                (int) in.number("database", d.database(), 0, 1_000),
                in.text("key_prefix", d.keyPrefix()),
                in.text("username"),
                in.secret("password"),
                in.node("tls") == null ? noTls(in) : tls(in.section("tls")));
        in.finish();
        return settings;
    }

    private static @Nullable TlsSettings noTls(Section in) {
        in.section("tls");
        return null;
    }

    private static TlsSettings tls(Section in) {
        TlsSettings settings = new TlsSettings(
                in.file("ca_file"), in.file("certificate_file"), in.file("key_file"), in.flag("verify_hostname", true));
        in.finish();
        return settings;
    }

    private static List<HostAndPort> nodes(Section in, List<HostAndPort> fallback) {
        List<String> texts = in.texts("cluster_nodes");
        if (texts == null) {
            return fallback;
        }
        List<HostAndPort> nodes = new ArrayList<>();
        for (String text : texts) {
            HostAndPort node = address(text);
            if (node == null) {
                in.wrong("cluster_nodes", text, "must be host:port, with a port from 1 to 65535", "");
            } else if (nodes.contains(node)) {
                in.wrong("cluster_nodes", text, "is named twice", "");
            } else {
                nodes.add(node);
            }
        }
        if (texts.isEmpty()) {
            in.wrong("cluster_nodes", "", "must name at least one server", "");
        }
        return nodes.isEmpty() ? fallback : nodes;
    }

    private static @Nullable HostAndPort address(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            return null;
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            return null;
        }
        try {
            return new HostAndPort(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static BackupStorageSettings backupStorage(Section in) {
        BackupStorageSettings d = BackupStorageSettings.defaults();
        Backend backend = in.choice("backend", Backend.class, d.backend());
        if (backend != Backend.FILESYSTEM) {
            in.wrong("backend", Objects.toString(in.text("backend"), ""), "is not built yet; use filesystem", "");
        }
        Path path = in.file("path");
        BackupStorageSettings settings = new BackupStorageSettings(
                in.flag("enabled", d.enabled()),
                backend,
                path == null ? d.path() : path,
                in.flag("compression", d.compression()),
                in.flag("encryption", d.encryption()),
                in.file("keystore"),
                in.text("keystore_alias", d.keystoreAlias()),
                in.secret("passphrase"),
                in.duration("retention", d.retention(), Duration.ofSeconds(1), YEAR.multipliedBy(10)),
                in.flag("durable", d.durable()),
                in.duration("timeout", d.timeout(), MILLISECOND, MINUTE),
                (int) in.number("queue_entries", d.queueEntries(), 1, 10_000_000),
                (int) in.mebibytes("queue_mb", d.queueMib(), 1, 1 << 14));
        in.finish();
        return settings;
    }

    private static CircuitBreakerSettings circuitBreaker(Section in) {
        CircuitBreakerSettings d = CircuitBreakerSettings.defaults();
        CircuitBreakerSettings settings = new CircuitBreakerSettings(
                in.flag("enabled", d.enabled()),
                (int) in.number("failure_threshold", d.failureThreshold(), 1, 1_000),
                in.duration("timeout", d.timeout(), MILLISECOND, Duration.ofHours(1)),
                in.duration("reset_timeout", d.resetTimeout(), MILLISECOND, Duration.ofHours(1)));
        in.finish();
        return settings;
    }

    private static FailoverSettings failover(Section in) {
        FailoverSettings d = FailoverSettings.defaults();
        FailoverSettings settings = new FailoverSettings(
                in.choice("strategy", FailoverSettings.Strategy.class, d.strategy()),
                in.flag("fallback_to_local", d.fallbackToLocal()),
                in.duration("readonly_mode_timeout", d.readonlyModeTimeout(), MILLISECOND, YEAR),
                in.duration("direct_request_timeout", d.directRequestTimeout(), MILLISECOND, Duration.ofHours(1)));
        in.finish();
        return settings;
    }

    private static LoadingSettings loading(Section in) {
        LoadingSettings d = LoadingSettings.defaults();
        LoadingSettings settings =
                new LoadingSettings(in.duration("timeout", d.timeout(), MILLISECOND, Duration.ofHours(1)), (int)
                        in.number("threads", d.threads(), 1, 4_096));
        in.finish();
        return settings;
    }

    private static LimitSettings limits(Section in) {
        LimitSettings d = LimitSettings.defaults();
        LimitSettings settings = new LimitSettings(
                in.bytes("max_key_bytes", d.maxKeyBytes(), 1, 65_535),
                in.bytes("max_value_bytes", d.maxValueBytes(), 1, 256 << 20),
                in.duration("max_clock_drift", d.maxClockDrift(), MILLISECOND, Duration.ofDays(1)),
                in.duration("tombstone_retention", d.tombstoneRetention(), MILLISECOND, YEAR),
                in.duration("close_timeout", d.closeTimeout(), MILLISECOND, Duration.ofHours(1)));
        in.finish();
        return settings;
    }

    private static Map<String, CachePolicy> caches(Section in) {
        Map<String, CachePolicy> caches = new LinkedHashMap<>();
        for (String name : in.keys()) {
            Section cache = in.section(name);
            if (name.isBlank() || name.startsWith("terrace.")) {
                in.wrong(name, name, "is not a cache name: it is empty or starts with the reserved 'terrace.'", "");
            }
            caches.put(name, policy(cache));
            cache.finish();
        }
        return caches;
    }

    private static CachePolicy policy(Section in) {
        return new CachePolicy(
                in.optionalDuration("ttl", MILLISECOND, YEAR),
                in.optionalDuration("stale_ttl", Duration.ZERO, YEAR),
                in.optionalDuration("negative_ttl", Duration.ZERO, YEAR),
                in.text("durable") == null ? null : Boolean.valueOf(in.flag("durable", false)));
    }

    private static List<CacheClass> classes(List<Section> list) {
        List<CacheClass> classes = new ArrayList<>();
        for (Section in : list) {
            String pattern = in.text("pattern");
            String name = in.text("class");
            if (pattern == null || pattern.isEmpty()) {
                in.wrong("pattern", "", "is needed: keys that the class is for, such as \"user:*\"", "");
            }
            if (name == null || name.isBlank()) {
                in.wrong("class", "", "is needed: the name of the class, such as hot", "");
            }
            classes.add(new CacheClass(
                    Objects.requireNonNullElse(pattern, "*"), Objects.requireNonNullElse(name, "?"), policy(in)));
            in.finish();
        }
        return classes;
    }

    private static ServerSettings server(Section in) {
        ServerSettings d = ServerSettings.defaults();
        ServerSettings settings = new ServerSettings(
                in.text("host", d.host()),
                (int) in.number("port", d.port(), 0, 65_535),
                in.secret("token"),
                in.bytes("max_body_bytes", d.maxBodyBytes(), 1_024, 1 << 30));
        in.finish();
        return settings;
    }
}
