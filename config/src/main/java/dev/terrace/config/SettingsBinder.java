package dev.terrace.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.terrace.config.BackupStorageSettings.Backend;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.spi.CacheKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns the sections of a file into settings records. */
final class SettingsBinder {
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final Duration YEAR = Duration.ofDays(365);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final String REDIS = "redis";
    // Both bound the time that finding the class of a key takes.
    private static final int MOST_CLASSES = 256;
    private static final int LONGEST_PATTERN = 256;

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
                classes(root),
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
        if (!backend.toLowerCase(Locale.ROOT).equals(REDIS)) {
            in.wrong("backend", "must be " + REDIS, Spelling.closest(backend, List.of(REDIS)));
        }
        DistributedCacheSettings settings = new DistributedCacheSettings(
                in.flag("enabled", d.enabled()),
                REDIS,
                nodes(in, d.clusterNodes()),
                in.choice("topology", DistributedCacheSettings.Topology.class, d.topology()),
                in.optionalText("sentinel_master"),
                (int) in.number("replication_factor", d.replicationFactor(), 1, 16),
                in.choice("consistency_level", DistributedCacheSettings.ConsistencyLevel.class, d.consistencyLevel()),
                in.duration("ttl", d.ttl(), MILLISECOND, YEAR),
                in.duration("timeout", d.timeout(), MILLISECOND, MINUTE),
                in.duration("connect_timeout", d.connectTimeout(), Duration.ofMillis(10), MINUTE),
                (int) in.number("pool_size", d.poolSize(), 1, 512),
                (int) in.number("database", d.database(), 0, 1_000),
                in.text("key_prefix", d.keyPrefix()),
                in.optionalText("username"),
                in.secret("password"),
                tls(in));
        in.finish();
        return settings;
    }

    private static @Nullable TlsSettings tls(Section around) {
        Section in = around.section("tls");
        TlsSettings settings = new TlsSettings(
                in.file("ca_file"), in.file("certificate_file"), in.file("key_file"), in.flag("verify_hostname", true));
        in.finish();
        // An empty section still switches TLS on: plain connections in its place would be the worse surprise.
        return around.has("tls") ? settings : null;
    }

    private static List<HostAndPort> nodes(Section in, List<HostAndPort> fallback) {
        List<Section.Item> items = in.items("cluster_nodes");
        if (items == null) {
            return fallback;
        }
        if (items.isEmpty()) {
            in.wrong("cluster_nodes", "must name at least one server", "");
        }
        List<HostAndPort> nodes = new ArrayList<>();
        for (Section.Item item : items) {
            HostAndPort node = HostAndPort.parse(item.text());
            if (node == null) {
                in.wrong(item, "must be host:port, with a port from 1 to 65535");
            } else if (nodes.contains(node)) {
                in.wrong(item, "is named twice");
            } else {
                nodes.add(node);
            }
        }
        return nodes.isEmpty() ? fallback : nodes;
    }

    private static BackupStorageSettings backupStorage(Section in) {
        BackupStorageSettings d = BackupStorageSettings.defaults();
        Backend backend = in.choice("backend", Backend.class, d.backend());
        if (backend != Backend.FILESYSTEM) {
            in.wrong("backend", "is not supported in this version; use filesystem", "");
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
                in.duration("reset_timeout", d.resetTimeout(), MILLISECOND, Duration.ofHours(1)),
                in.percent("slow_call_rate", d.slowCallPercent(), 1, 100));
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
                in.wrong(name, "is not a cache name: it is empty or starts with the reserved 'terrace.'", "");
            }
            if (name.getBytes(UTF_8).length > CacheKey.MAX_CACHE_NAME_BYTES) {
                in.wrong(name, "is not a cache name: the longest has " + CacheKey.MAX_CACHE_NAME_BYTES + " bytes", "");
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
                in.optionalFlag("durable"));
    }

    private static List<CacheClass> classes(Section root) {
        List<Section> list = root.sections("classes");
        if (list.size() > MOST_CLASSES) {
            root.wrong("classes", "has " + list.size() + " items; there may be " + MOST_CLASSES, "");
        }
        List<CacheClass> classes = new ArrayList<>();
        for (Section in : list) {
            String pattern = needed(in, "pattern", "the keys that the class is for, such as \"user:*\"");
            String name = needed(in, "class", "the name of the class, such as hot");
            if (pattern.length() > LONGEST_PATTERN) {
                in.wrong("pattern", "has " + pattern.length() + " characters; the longest has " + LONGEST_PATTERN, "");
            }
            classes.add(new CacheClass(pattern, name, policy(in)));
            in.finish();
        }
        return classes;
    }

    private static String needed(Section in, String key, String what) {
        String text = in.text(key);
        // A key without a value is as good as none; a wrong value has been reported already.
        if (text == null ? !in.hasValue(key) : text.isBlank()) {
            in.wrong(key, "is needed: " + what, "");
        }
        return Objects.requireNonNullElse(text, "");
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
