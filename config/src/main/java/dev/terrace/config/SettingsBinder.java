package dev.terrace.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.terrace.config.BackupStorageSettings.Backend;
import dev.terrace.config.BackupStorageSettings.RestoreOnStart;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
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
    private static final int MOST_ZONES = 64;
    private static final Duration LONGEST_DEFAULT_WINDOW = Duration.ofHours(1);
    // Both bound the time that finding the class of a key takes.
    private static final int MOST_CLASSES = 256;
    private static final int LONGEST_PATTERN = 256;

    private SettingsBinder() {}

    static Settings bind(Section root) {
        LocalCacheSettings localCache = localCache(root.section("local_cache"));
        Section remote = root.section("distributed_cache");
        // Bound first, because the remote tier's defaults depend on them.
        LimitSettings limits = limits(root.section("limits"));
        DistributedCacheSettings distributedCache = distributedCache(remote, limits);
        Settings settings = new Settings(
                localCache,
                distributedCache,
                backupStorage(root.section("backup_storage")),
                circuitBreaker(root.section("circuit_breaker"), CircuitBreakerSettings.defaults()),
                failover(root.section("failover")),
                loading(root.section("loading")),
                limits,
                caches(root.section("caches")),
                classes(root),
                server(root.section("server")),
                backplane(root.section("backplane"), distributedCache.enabled()),
                journal(root.section("journal")),
                origins(root.section("origins")),
                warmup(root.section("warmup")));
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
                in.duration("sweep_interval", d.sweepInterval(), Duration.ofMillis(10), Duration.ofHours(1)),
                in.percent("shrink_at", d.shrinkAtPercent(), 50, LocalCacheSettings.NEVER_SHRINK),
                Objects.requireNonNullElse(in.file("cgroup"), d.cgroup()),
                in.flag("huge_pages", d.hugePages()),
                in.file("persist"));
        in.finish();
        return settings;
    }

    private static DistributedCacheSettings distributedCache(Section in, LimitSettings limits) {
        DistributedCacheSettings d = DistributedCacheSettings.defaults();
        String backend = in.text("backend", d.backend());
        if (!backend.toLowerCase(Locale.ROOT).equals(REDIS)) {
            in.wrong("backend", "must be " + REDIS, Spelling.closest(backend, List.of(REDIS)));
        }
        DistributedCacheSettings settings = new DistributedCacheSettings(
                in.flag("enabled", d.enabled()),
                REDIS,
                nodes(in, "cluster_nodes", d.clusterNodes()),
                in.choice("topology", DistributedCacheSettings.Topology.class, d.topology()),
                in.optionalText("sentinel_master"),
                (int) in.number("replication_factor", d.replicationFactor(), 1, 16),
                in.choice("consistency_level", DistributedCacheSettings.ConsistencyLevel.class, d.consistencyLevel()),
                in.duration("ttl", d.ttl(), MILLISECOND, YEAR),
                in.duration("timeout", d.timeout(), MILLISECOND, MINUTE),
                in.optionalDuration("soft_timeout", MILLISECOND, MINUTE),
                in.duration("connect_timeout", d.connectTimeout(), Duration.ofMillis(10), MINUTE),
                (int) in.number("pool_size", d.poolSize(), 1, 512),
                (int) in.number("database", d.database(), 0, 1_000),
                in.text("key_prefix", d.keyPrefix()),
                in.optionalText("username"),
                in.secret("password"),
                tls(in),
                replication(in, limits));
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

    private static List<HostAndPort> nodes(Section in, String key, List<HostAndPort> fallback) {
        List<Section.Item> items = in.items(key);
        if (items == null) {
            return fallback;
        }
        if (items.isEmpty()) {
            in.wrong(key, "must name at least one server", "");
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

    private static ReplicationSettings replication(Section in, LimitSettings limits) {
        ReplicationSettings d = ReplicationSettings.defaults();
        List<ZoneSettings> zones = zones(in);
        Section hints = in.section("hints");
        // The default keeps the rule that an explicit one is held to.
        Duration half = limits.tombstoneRetention().dividedBy(2);
        Duration window = half.compareTo(LONGEST_DEFAULT_WINDOW) < 0 ? half : LONGEST_DEFAULT_WINDOW;
        Section resync = in.section("resync");
        Section compare = in.section("compare");
        Section hedge = in.section("hedge");
        ReplicationSettings settings = new ReplicationSettings(
                zones,
                new ReplicationSettings.Hints(
                        (int) hints.number("max_entries", d.hints().maxEntries(), 1, 100_000_000),
                        hints.duration("window", window, MILLISECOND, YEAR)),
                rate(resync, d.resyncEntriesPerSecond()),
                new ReplicationSettings.Compare(
                        compare.duration("interval", d.compare().interval(), Duration.ofMillis(10), YEAR),
                        rate(compare, d.compare().entriesPerSecond())),
                new ReplicationSettings.Hedge(
                        hedge.flag("enabled", d.hedge().enabled()),
                        hedge.duration("at_least", d.hedge().atLeast(), Duration.ZERO, MINUTE)),
                in.choice("majority_forgot", ReplicationSettings.MajorityForgot.class, d.majorityForgot()),
                in.flag("wait_for_disk", d.waitForDisk()));
        List.of(hints, resync, compare, hedge).forEach(Section::finish);
        return settings;
    }

    private static int rate(Section in, int fallback) {
        return (int) in.number("entries_per_second", fallback, 1, 100_000_000);
    }

    private static List<ZoneSettings> zones(Section around) {
        List<Section> list = around.sections("zones");
        if (list.isEmpty() && around.isList("zones")) {
            around.wrong("zones", "must name at least one zone", "");
        }
        if (list.size() > MOST_ZONES) {
            around.wrong("zones", "has " + list.size() + " items; there may be " + MOST_ZONES, "");
        }
        List<ZoneSettings> zones = new ArrayList<>();
        for (Section in : list) {
            String name = needed(in, "name", "the zone's name, such as eu-1");
            if (!name.isBlank() && !ZoneSettings.isName(name)) {
                in.wrong("name", "must be 1 to 64 letters, digits, dots, dashes and underscores", "");
            }
            List<HostAndPort> nodes = nodes(in, "nodes", List.of());
            if (!in.hasValue("nodes")) {
                in.wrong("nodes", "is needed: the zone's server, sentinels or Redis Cluster nodes", "");
            }
            zones.add(new ZoneSettings(
                    name,
                    nodes,
                    in.choice("topology", Topology.class, Topology.AUTO),
                    (int) in.number("weight", 1, 1, 1_000),
                    in.optionalText("sentinel_master"),
                    in.optionalText("username"),
                    in.secret("password"),
                    tls(in),
                    in.flag("nearest", false),
                    in.choice("state", ZoneSettings.State.class, ZoneSettings.State.SERVING)));
            in.finish();
        }
        return zones;
    }

    private static BackplaneSettings backplane(Section in, boolean remote) {
        BackplaneSettings d = BackplaneSettings.defaults();
        Section group = in.section("group");
        BackplaneSettings.GroupSettings g = d.group();
        BackplaneSettings.GroupSettings second = new BackplaneSettings.GroupSettings(
                group.flag("enabled", g.enabled()),
                group.text("bind", g.bind()),
                (int) group.number("port", g.port(), 0, 65_535),
                nodes(group, "members", g.members()),
                group.optionalText("dns"),
                group.secret("secret"));
        group.finish();
        BackplaneSettings settings = new BackplaneSettings(
                in.flag("enabled", remote || second.enabled()),
                in.number("max_length", d.maxLength(), 1_000, 1_000_000_000),
                in.durationOrAuto("beat", MILLISECOND, MINUTE),
                in.duration("lease", d.lease(), Duration.ofMillis(100), MINUTE),
                in.flag("external_writers", d.externalWriters()),
                second);
        in.finish();
        return settings;
    }

    private static BackupSchedule schedule(Section in) {
        BackupSchedule d = BackupSchedule.defaults();
        Duration ship = in.duration("ship_interval", d.shipInterval(), Duration.ofSeconds(1), Duration.ofMinutes(10));
        Duration snapshot = in.duration("snapshot_every", d.snapshotEvery(), MINUTE, Duration.ofDays(7));
        Section keep = in.section("keep");
        int hourly = (int) keep.number("hourly", d.keepHourly(), 0, 1_000);
        int daily = (int) keep.number("daily", d.keepDaily(), 0, 1_000);
        if (hourly == 0 && daily == 0) {
            keep.wrong(
                    "daily", "and hourly are 0: nothing but the newest backup would be kept; set one to 1 or more", "");
        }
        keep.finish();
        return new BackupSchedule(ship, snapshot, hourly, daily);
    }

    private static RestoreOnStart restore(Section in, BackupStorageSettings d) {
        RestoreOnStart restore = in.choice("on_start", RestoreOnStart.class, d.restore());
        in.finish();
        return restore;
    }

    private static BackupStorageSettings backupStorage(Section in) {
        BackupStorageSettings d = BackupStorageSettings.defaults();
        Backend backend = in.choice("backend", Backend.class, d.backend());
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
                in.optionalDuration("soft_timeout", MILLISECOND, MINUTE),
                (int) in.number("queue_entries", d.queueEntries(), 1, 10_000_000),
                (int) in.mebibytes("queue_mb", d.queueMib(), 1, 1 << 14),
                in.optionalText("key_service"),
                in.optionalText("key_name"),
                ObjectStorageBinder.bind(in, backend),
                schedule(in),
                restore(in.section("restore"), d));
        in.finish();
        return settings;
    }

    private static CircuitBreakerSettings circuitBreaker(Section in, CircuitBreakerSettings d) {
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
                in.duration("direct_request_timeout", d.directRequestTimeout(), MILLISECOND, Duration.ofHours(1)),
                in.duration("hold_down", d.holdDown(), Duration.ofMillis(100), Duration.ofHours(1)),
                in.duration("probe_interval", d.probeInterval(), Duration.ofMillis(50), MINUTE));
        in.finish();
        return settings;
    }

    private static LoadingSettings loading(Section in) {
        LoadingSettings d = LoadingSettings.defaults();
        LoadingSettings settings = new LoadingSettings(
                in.duration("timeout", d.timeout(), MILLISECOND, Duration.ofHours(1)),
                (int) in.number("threads", d.threads(), 1, 4_096),
                (int) in.number("waiters", d.waiters(), 1, 10_000_000));
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
            caches.put(
                    name,
                    policy(cache)
                            .withNearCache(nearCache(cache))
                            .withFailover(cacheFailover(cache))
                            .withCompression(cache.optionalFlag("compression")));
            cache.finish();
        }
        return caches;
    }

    private static CachePolicy policy(Section in) {
        return new CachePolicy(
                in.optionalDuration("ttl", MILLISECOND, YEAR),
                in.optionalDuration("stale_ttl", Duration.ZERO, YEAR),
                in.optionalDuration("negative_ttl", Duration.ZERO, YEAR),
                in.optionalFlag("durable"),
                in.optionalChoice("consistency", Consistency.class),
                in.optionalDuration("staleness_bound", Duration.ofMillis(10), Duration.ofHours(1)),
                in.optionalChoice("replication", DistributedCacheSettings.ConsistencyLevel.class),
                null,
                loadingPolicy(in.section("loading")),
                write(in),
                originPolicy(in.section("origin")),
                null,
                null,
                localShare(in));
    }

    private static OriginPolicy originPolicy(Section in) {
        OriginPolicy policy = new OriginPolicy(
                in.optionalText("name"), in.optionalChoice("single_flight", OriginPolicy.SingleFlight.class));
        in.finish();
        return policy;
    }

    private static Map<String, OriginSettings> origins(Section in) {
        Map<String, OriginSettings> origins = new LinkedHashMap<>();
        OriginSettings d = OriginSettings.defaults();
        for (String name : in.keys()) {
            Section one = in.section(name);
            if (name.isBlank()) {
                in.wrong(name, "is not the name of an origin: it is empty", "");
            }
            origins.put(
                    name,
                    new OriginSettings(
                            (int) one.number("max_concurrent", d.maxConcurrent(), 1, 100_000),
                            one.flag("adaptive", d.adaptive()),
                            one.duration("max_wait", d.maxWait(), Duration.ZERO, MINUTE),
                            (int) one.number("rate", d.ratePerSecond(), 1, 100_000),
                            (int) one.number("fleet_rate", d.fleetRatePerSecond(), 1, 100_000),
                            (int) one.number("burst", d.burst(), 1, 100_000),
                            circuitBreaker(one.section("breaker"), d.breaker())));
            one.finish();
        }
        return origins;
    }

    private static LoadingPolicy loadingPolicy(Section in) {
        Duration hour = Duration.ofHours(1);
        LoadingPolicy policy = new LoadingPolicy(
                in.optionalDuration("soft_timeout", MILLISECOND, hour),
                in.optionalDuration("hard_timeout", MILLISECOND, hour),
                in.optionalDuration("stale_while_revalidate", Duration.ZERO, YEAR),
                in.optionalDuration("fail_safe_throttle", Duration.ZERO, hour),
                in.optionalFlag("refresh_ahead"),
                in.optionalPercent("eager_refresh", 1, LoadingRules.NEVER_EAGER),
                in.optionalPercent("ttl_jitter", 0, 90),
                in.optionalFlag("sliding"));
        in.finish();
        return policy;
    }

    private static @Nullable WritePolicy write(Section around) {
        WritePolicy d = WritePolicy.defaults();
        Section in = around.section("write");
        WritePolicy settings = new WritePolicy(
                in.choice("policy", WritePolicy.Kind.class, d.policy()),
                in.duration("timeout", d.timeout(), MILLISECOND, Duration.ofHours(1)),
                in.duration("delay", d.delay(), Duration.ZERO, Duration.ofHours(1)),
                (int) in.number("batch", d.batch(), 1, 10_000),
                (int) in.number("max_attempts", d.maxAttempts(), 1, 1_000_000),
                in.duration("backoff", d.backoff(), MILLISECOND, Duration.ofHours(1)),
                in.duration("longest_backoff", d.longestBackoff(), MILLISECOND, Duration.ofDays(1)));
        in.finish();
        return around.has("write") ? settings : null;
    }

    private static WarmupSettings warmup(Section in) {
        WarmupSettings d = WarmupSettings.defaults();
        WarmupSettings settings = new WarmupSettings(
                in.flag("on_start", d.onStart()),
                (int) in.number("entries_per_second", d.entriesPerSecond(), 1, 100_000_000),
                (int) in.mebibytes("max_memory_mb", d.maxMemoryMib(), 16, 1 << 16),
                in.duration("yield_above", d.yieldAbove(), Duration.ZERO, MINUTE),
                (int) in.number("heat_keys", d.heatKeys(), 0, 100_000),
                in.duration("heat_interval", d.heatInterval(), Duration.ofSeconds(1), Duration.ofDays(1)));
        in.finish();
        return settings;
    }

    private static JournalSettings journal(Section in) {
        JournalSettings d = JournalSettings.defaults();
        Path path = in.file("path");
        JournalSettings settings = new JournalSettings(
                path == null ? d.path() : path,
                in.choice("sync", JournalSettings.Sync.class, d.sync()),
                in.duration("sync_delay", d.syncDelay(), MILLISECOND, MINUTE),
                (int) in.number("max_entries", d.maxEntries(), 1, 10_000_000),
                (int) in.mebibytes("max_mb", d.maxMib(), 1, 1 << 14),
                (int) in.number("max_dead", d.maxDead(), 0, 1_000_000),
                in.duration("full_timeout", d.fullTimeout(), Duration.ZERO, MINUTE),
                (int) in.number("threads", d.threads(), 1, 1_024));
        in.finish();
        return settings;
    }

    private static @Nullable NearCacheSettings nearCache(Section around) {
        Section in = around.section("near_cache");
        NearCacheSettings settings = new NearCacheSettings(
                (int) in.number("entries", 1_000, 1, 100_000_000), in.optionalDuration("ttl", MILLISECOND, YEAR));
        in.finish();
        return around.has("near_cache") ? settings : null;
    }

    private static @Nullable LocalShare localShare(Section around) {
        Section in = around.section("l1_share");
        int reserved = in.percent("reserved", LocalShare.WHOLE.reservedPercent(), 0, LocalShare.MOST_RESERVED_PERCENT);
        int most = in.percent("most", LocalShare.WHOLE.mostPercent(), 1, 100);
        if (reserved > most) {
            in.wrong("reserved", "must be at most l1_share.most, " + most + "%", "");
            reserved = most;
        }
        in.finish();
        return around.has("l1_share") ? new LocalShare(reserved, most) : null;
    }

    private static @Nullable CacheFailover cacheFailover(Section around) {
        CacheFailover d = CacheFailover.DEFAULTS;
        Section in = around.section("failover");
        CacheFailover settings = new CacheFailover(
                in.choice("max_rung", CacheFailover.MaxRung.class, d.maxRung()),
                in.flag("never_stale", d.neverStale()));
        in.finish();
        return around.has("failover") ? settings : null;
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
                in.bytes("max_body_bytes", d.maxBodyBytes(), 1_024, 1 << 30),
                in.flag("chaos", d.chaos()),
                in.optionalText("environment"));
        in.finish();
        return settings;
    }
}
