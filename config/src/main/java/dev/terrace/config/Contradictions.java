package dev.terrace.config;

import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What one setting demands of another. A contradiction is a problem; what is allowed but probably not wanted is a warning.
 * A rule is silent when a setting that it looks at has a problem already, because then it would judge a stand-in.
 */
final class Contradictions {
    private static final String L1 = SettingsLoader.ROOT + ".local_cache";
    private static final String L2 = SettingsLoader.ROOT + ".distributed_cache";
    private static final String L3 = SettingsLoader.ROOT + ".backup_storage";
    private static final String LIMITS = SettingsLoader.ROOT + ".limits";
    private static final String LOADING = SettingsLoader.ROOT + ".loading";
    private static final String SERVER = SettingsLoader.ROOT + ".server";
    private static final String BACKPLANE = SettingsLoader.ROOT + ".backplane";
    private static final String CACHES = SettingsLoader.ROOT + ".caches";
    private static final String ORIGINS = SettingsLoader.ROOT + ".origins";
    private static final String CLASSES = SettingsLoader.ROOT + ".classes";

    /** Below this an entry does not even hold its own header. */
    private static final long LEAST_BYTES_PER_ENTRY = 128;

    private static final int SHORTEST_TOKEN = 16;

    /** Redis writes its log to disk once a second, as a rule, and somewhat later when it is busy. */
    private static final Duration LEAST_FOR_DISK = Duration.ofSeconds(2);

    private final Reading reading;
    private final Settings settings;

    private Contradictions(Reading reading, Settings settings) {
        this.reading = reading;
        this.settings = settings;
    }

    /** Applies every rule. */
    static void check(Reading reading, Settings settings) {
        Contradictions rules = new Contradictions(reading, settings);
        rules.copies();
        rules.zones();
        rules.credentials();
        rules.replication();
        rules.coherence();
        rules.group();
        rules.encryption();
        ObjectStorageRules.check(reading, settings.backupStorage());
        rules.durability();
        rules.writing();
        rules.bounds();
        rules.loading();
        rules.patience();
        rules.shares();
        rules.lifetimes();
        rules.classes();
        rules.origins();
        rules.exposure();
        rules.usefulness();
    }

    private void copies() {
        DistributedCacheSettings l2 = settings.distributedCache();
        String path = L2 + ".replication_factor";
        if (!reading.sound(path, L2 + ".cluster_nodes", L2 + ".zones")) {
            return;
        }
        int copies = l2.replicationFactor();
        boolean named = !l2.replication().zones().isEmpty();
        List<ZoneSettings> zones = l2.replication().zones();
        int staying = (int) zones.stream()
                .filter(zone -> zone.state() != ZoneSettings.State.LEAVING)
                .count();
        int places = named ? staying : l2.clusterNodes().size();
        if (named && zones.stream().allMatch(zone -> zone.state() == ZoneSettings.State.JOINING)) {
            reading.problem(
                    L2 + ".zones",
                    "",
                    "are all joining: zones that are all new need not join anything; leave state out");
        }
        if (copies > places) {
            String what = !named ? " cluster_nodes" : staying < zones.size() ? " zones that stay" : " zones";
            reading.problem(path, Integer.toString(copies), "is more than the " + places + what + " there are");
        }
        if (l2.enabled() && copies == 2 && someReplicates(ConsistencyLevel.QUORUM)) {
            reading.warning(
                    path,
                    "2",
                    "with consistency_level quorum no write survives the loss of one copy: a majority of 2 is 2; use 3");
        }
        if (l2.enabled() && copies == 1 && named && places > 1) {
            reading.warning(path, "1", "means that each key is in one zone only, and is lost with it; use 3");
        }
    }

    private boolean someReplicates(ConsistencyLevel level) {
        return new Policies(settings).all().stream().anyMatch(policy -> policy.replication() == level);
    }

    private void zones() {
        DistributedCacheSettings l2 = settings.distributedCache();
        List<ZoneSettings> zones = l2.replication().zones();
        if (zones.isEmpty()) {
            topology(L2, l2.topology(), l2.sentinelMaster());
            if (reading.sound(L2 + ".topology", L2 + ".cluster_nodes")
                    && l2.topology() == Topology.STANDALONE
                    && l2.clusterNodes().size() > 1) {
                reading.warning(
                        L2 + ".cluster_nodes",
                        "",
                        "has several servers, of which topology standalone uses the first only");
            }
            return;
        }
        for (String beside : List.of(".cluster_nodes", ".topology", ".sentinel_master")) {
            if (reading.explicit().contains(L2 + beside)) {
                reading.problem(L2 + beside, "", "cannot stand beside zones, which say it for each zone; remove it");
            }
        }
        Map<String, String> names = new HashMap<>();
        Map<HostAndPort, String> addresses = new HashMap<>();
        for (int i = 0; i < zones.size(); i++) {
            ZoneSettings zone = zones.get(i);
            String path = L2 + ".zones[" + i + "]";
            topology(path, zone.topology(), zone.sentinelMaster());
            login(path, zone.username(), zone.password());
            certificates(path, zone.tls());
            if (!reading.sound(path)) {
                continue;
            }
            String first = names.putIfAbsent(zone.name(), "zones[" + i + "]");
            if (first != null) {
                reading.problem(path + ".name", zone.name(), "is the name of " + first + " too");
                continue;
            }
            for (HostAndPort node : zone.nodes()) {
                HostAndPort plain = new HostAndPort(node.host().toLowerCase(Locale.ROOT), node.port());
                String other = addresses.putIfAbsent(plain, zone.name());
                if (other != null && !other.equals(zone.name())) {
                    reading.problem(
                            path + ".nodes",
                            node.toString(),
                            "is in zone '" + other + "' and in zone '" + zone.name()
                                    + "': copies on one server are lost together");
                }
            }
        }
    }

    private void topology(String path, Topology topology, @Nullable String master) {
        DistributedCacheSettings l2 = settings.distributedCache();
        if (reading.sound(path + ".topology", path + ".sentinel_master")) {
            if (topology == Topology.SENTINEL && master == null) {
                reading.problem(path + ".topology", "sentinel", "needs sentinel_master, the name of the master");
            }
            if (master != null && (topology == Topology.CLUSTER || topology == Topology.STANDALONE)) {
                reading.problem(path + ".sentinel_master", "", "is only for topology sentinel; remove one of the two");
            }
        }
        if (reading.sound(path + ".topology", L2 + ".database") && topology == Topology.CLUSTER && l2.database() != 0) {
            reading.problem(L2 + ".database", Integer.toString(l2.database()), "must be 0 in a Redis Cluster");
        }
    }

    private void credentials() {
        DistributedCacheSettings l2 = settings.distributedCache();
        login(L2, l2.username(), l2.password());
        certificates(L2, l2.tls());
    }

    private void login(String path, @Nullable String username, @Nullable Secret password) {
        if (reading.sound(path + ".username", path + ".password") && username != null && password == null) {
            reading.problem(path + ".username", "", "needs a password");
        }
    }

    private void certificates(String path, @Nullable TlsSettings tls) {
        if (tls == null || !reading.sound(path + ".tls.certificate_file", path + ".tls.key_file")) {
            return;
        }
        if ((tls.certificateFile() == null) != (tls.keyFile() == null)) {
            String given = tls.keyFile() == null ? ".tls.certificate_file" : ".tls.key_file";
            reading.problem(
                    path + given, "", "must come with its other half: certificate_file and key_file, or neither");
        }
    }

    private void disk() {
        DistributedCacheSettings l2 = settings.distributedCache();
        String path = L2 + ".wait_for_disk";
        if (!l2.enabled() || !l2.replication().waitForDisk() || !reading.sound(path, L2 + ".timeout", L2 + ".zones")) {
            return;
        }
        if (l2.replication().zones().size() > 1) {
            reading.warning(path, "true", "has no effect over several zones, which count what is in their memory");
        } else if (l2.timeout().compareTo(LEAST_FOR_DISK) < 0) {
            reading.warning(
                    path,
                    "true",
                    "wants a timeout of " + DurationText.format(LEAST_FOR_DISK)
                            + " or more, unless Redis has appendfsync always: else a write waits up to a second");
        }
    }

    private void replication() {
        disk();
        ReplicationSettings replication = settings.distributedCache().replication();
        Duration tombstones = settings.limits().tombstoneRetention();
        String window = L2 + ".hints.window";
        String retention = LIMITS + ".tombstone_retention";
        if (reading.sound(window, retention) && replication.hints().window().compareTo(tombstones) >= 0) {
            reading.problem(
                    window,
                    DurationText.format(replication.hints().window()),
                    "must be shorter than limits.tombstone_retention, " + DurationText.format(tombstones)
                            + ": a hint must not bring back what was deleted and forgotten");
        }
        String interval = L2 + ".compare.interval";
        if (settings.distributedCache().enabled()
                && reading.sound(interval, retention)
                && replication.compare().interval().compareTo(tombstones) >= 0) {
            reading.warning(
                    interval,
                    DurationText.format(replication.compare().interval()),
                    "is not shorter than limits.tombstone_retention, " + DurationText.format(tombstones)
                            + ": a delete that a zone missed may be forgotten before it is compared");
        }
    }

    private void coherence() {
        BackplaneSettings backplane = settings.backplane();
        String beat = BACKPLANE + ".beat";
        boolean cachesSound = reading.sound(CACHES);
        policies((path, policy) -> {
            Consistency consistency = policy.consistency();
            boolean promises = consistency == Consistency.BOUNDED || consistency == Consistency.STRICT;
            if (consistency != null
                    && promises
                    && !backplane.enabled()
                    && reading.sound(path + ".consistency", BACKPLANE, L2 + ".enabled")) {
                reading.problem(
                        path + ".consistency",
                        consistency.name().toLowerCase(Locale.ROOT),
                        "needs the backplane, by which nodes hear of writes: set distributed_cache.enabled and leave"
                                + " backplane.enabled true");
            }
            Duration bound = policy.stalenessBound();
            if (bound == null || !reading.sound(path + ".staleness_bound", path + ".consistency") || !cachesSound) {
                return;
            }
            if (!mayBeBounded(path, consistency)) {
                reading.problem(
                        path + ".staleness_bound",
                        DurationText.format(bound),
                        "is only for consistency bounded; set that, or remove this");
            }
            if (backplane.beat() != null
                    && reading.sound(beat)
                    && backplane.beat().compareTo(bound) >= 0) {
                reading.problem(
                        path + ".staleness_bound",
                        DurationText.format(bound),
                        "must be longer than backplane.beat, " + DurationText.format(backplane.beat()));
            }
        });
        if (backplane.beat() != null
                && reading.sound(beat, BACKPLANE + ".lease")
                && backplane.beat().compareTo(backplane.lease()) >= 0) {
            reading.problem(
                    beat,
                    DurationText.format(backplane.beat()),
                    "must be shorter than backplane.lease, " + DurationText.format(backplane.lease()));
        }
    }

    /** A class without a consistency of its own takes that of the cache, which may be any. */
    private boolean mayBeBounded(String path, @Nullable Consistency consistency) {
        if (consistency != null || !path.startsWith(CLASSES)) {
            return consistency == Consistency.BOUNDED;
        }
        return settings.caches().values().stream().anyMatch(cache -> cache.consistency() == Consistency.BOUNDED);
    }

    private void group() {
        BackplaneSettings backplane = settings.backplane();
        BackplaneSettings.GroupSettings group = backplane.group();
        String path = BACKPLANE + ".group";
        if (reading.sound(path + ".bind", path + ".secret")
                && !ServerSettings.isLoopback(group.bind())
                && group.secret() == null) {
            reading.problem(path + ".bind", group.bind(), "is not loopback, which demands a secret: set group.secret");
        }
        if (group.secret() != null && group.secret().reveal().length() < SHORTEST_TOKEN) {
            reading.warning(
                    path + ".secret",
                    group.secret().toString(),
                    "is easy to guess: use " + SHORTEST_TOKEN + " characters or more");
        }
        if (reading.sound(path + ".members", path + ".dns")) {
            if (group.dns() != null && !group.members().isEmpty()) {
                reading.problem(path + ".dns", group.dns(), "cannot stand beside members; keep one of the two");
            }
            if (group.enabled() && group.dns() == null && group.members().isEmpty()) {
                reading.problem(path, "", "needs members or dns: where the other nodes are");
            }
        }
        if (group.dns() != null && group.port() == 0 && reading.sound(path + ".port", path + ".dns")) {
            reading.problem(path + ".port", "0", "must be one port for all nodes, because dns does not tell ports");
        }
        if (!reading.sound(BACKPLANE + ".enabled", path + ".enabled", L2 + ".enabled")) {
            return;
        }
        if (backplane.enabled() && !settings.distributedCache().enabled() && !group.enabled()) {
            reading.problem(
                    BACKPLANE + ".enabled",
                    "true",
                    "has nothing to run over: set distributed_cache.enabled or backplane.group.enabled");
        }
        if (group.enabled() && !backplane.enabled()) {
            reading.warning(path + ".enabled", "true", "has no effect while backplane.enabled is false");
        }
    }

    private void policies(BiConsumer<String, CachePolicy> rule) {
        settings.caches().forEach((name, policy) -> rule.accept(CACHES + "." + name, policy));
        for (int i = 0; i < settings.classes().size(); i++) {
            rule.accept(CLASSES + "[" + i + "]", settings.classes().get(i).policy());
        }
    }

    private void encryption() {
        BackupStorageSettings l3 = settings.backupStorage();
        if (!reading.sound(L3 + ".encryption", L3 + ".passphrase", L3 + ".keystore", L3 + ".key_service")) {
            return;
        }
        if ((l3.keyService() == null) != (l3.keyName() == null)) {
            reading.problem(
                    L3 + ".key_service",
                    String.valueOf(l3.keyService()),
                    "and key_name go together: the service, and which of its keys");
        }
        if (l3.keyService() != null && (l3.passphrase() != null || l3.keystore() != null)) {
            reading.problem(
                    L3 + ".key_service", l3.keyService(), "takes the place of passphrase and keystore: set one");
        }
        if (l3.encryption() && l3.passphrase() == null && l3.keyService() == null) {
            reading.problem(
                    L3 + ".encryption",
                    "true",
                    "needs a key: set passphrase (\"${NAME}\" or \"file:/path\"), with or without keystore, or key_service");
        }
        if (!l3.encryption() && (l3.passphrase() != null || l3.keystore() != null)) {
            reading.warning(L3 + ".encryption", "false", "leaves passphrase and keystore unused");
        }
        if (!l3.encryption() && l3.enabled()) {
            reading.warning(L3 + ".encryption", "false", "means that values stand in clear on disk");
        }
    }

    private void durability() {
        if (settings.backupStorage().enabled() || !reading.sound(L3 + ".enabled")) {
            return;
        }
        String message = "promises a write to L3, which is off: set backup_storage.enabled, or durable to false";
        if (settings.warmup().onStart()) {
            reading.problem(
                    SettingsLoader.ROOT + ".warmup.on_start",
                    "true",
                    "has nothing to warm up from: L3 is off; set backup_storage.enabled, or on_start to false");
        }
        if (settings.backupStorage().durable()) {
            reading.problem(L3 + ".durable", "true", message);
        }
        policies((path, policy) -> {
            if (Boolean.TRUE.equals(policy.durable())) {
                reading.problem(path + ".durable", "true", message);
            }
        });
    }

    private void writing() {
        boolean[] behind = new boolean[1];
        policies((path, policy) -> {
            WritePolicy write = policy.write();
            String longest = path + ".write.longest_backoff";
            String first = path + ".write.backoff";
            if (write == null || !reading.sound(longest, first)) {
                return;
            }
            behind[0] |= write.policy() == WritePolicy.Kind.BEHIND;
            if (write.longestBackoff().compareTo(write.backoff()) < 0) {
                reading.problem(
                        longest,
                        DurationText.format(write.longestBackoff()),
                        "must not be shorter than backoff, " + DurationText.format(write.backoff()));
            }
        });
        BackupStorageSettings l3 = settings.backupStorage();
        String path = SettingsLoader.ROOT + ".journal.path";
        if (behind[0] && l3.enabled() && reading.sound(path, L3 + ".path")) {
            Path journal = settings.journal().path().toAbsolutePath().normalize();
            Path backup = l3.path().toAbsolutePath().normalize();
            if (journal.startsWith(backup) || backup.startsWith(journal)) {
                reading.problem(
                        path, settings.journal().path().toString(), "must be a folder apart from backup_storage.path");
            }
        }
    }

    private void bounds() {
        ordered(
                LOADING + ".timeout",
                settings.loading().timeout(),
                LIMITS + ".tombstone_retention",
                settings.limits().tombstoneRetention());
        int values = settings.limits().maxValueBytes();
        int bodies = settings.server().maxBodyBytes();
        String valuePath = LIMITS + ".max_value_bytes";
        String bodyPath = SERVER + ".max_body_bytes";
        if (reading.sound(valuePath, bodyPath) && values > bodies) {
            if (reading.explicit().contains(bodyPath)) {
                reading.problem(
                        bodyPath, Integer.toString(bodies), "must be at least limits.max_value_bytes, " + values);
            } else {
                reading.problem(
                        valuePath, Integer.toString(values), "must be at most server.max_body_bytes, " + bodies);
            }
        }
        LocalCacheSettings l1 = settings.localCache();
        if (reading.sound(L1 + ".capacity", L1 + ".max_memory_mb") && l1.enabled()) {
            long perEntry = (l1.maxMemoryMib() << 20) / l1.capacity();
            if (perEntry < LEAST_BYTES_PER_ENTRY) {
                String message = "cannot be reached: max_memory_mb leaves " + perEntry + " bytes per entry";
                reading.warning(L1 + ".capacity", Long.toString(l1.capacity()), message);
            }
        }
    }

    private void shares() {
        int[] reserved = {0, 0};
        policies((path, policy) -> {
            LocalShare share = policy.localShare();
            if (share == null) {
                return;
            }
            String own = path + ".l1_share";
            reserved[0] += share.reservedPercent();
            reserved[1]++;
            if (reserved[0] > LocalShare.MOST_RESERVED_PERCENT && reading.sound(own, own + ".reserved")) {
                reading.problem(
                        own + ".reserved",
                        share.reservedPercent() + "%",
                        "makes " + reserved[0] + "% that is reserved in all; it may be "
                                + LocalShare.MOST_RESERVED_PERCENT + "%: the rest is for whom nothing is reserved");
            }
            if (reserved[1] == LocalShare.MOST_SHARES + 1) {
                reading.problem(
                        own, "", "is one too many: " + LocalShare.MOST_SHARES + " caches and classes can have one");
            }
            if (!settings.localCache().enabled() && reading.sound(own, L1 + ".enabled")) {
                reading.warning(own, "", "has no effect without local_cache");
            }
        });
    }

    private void patience() {
        soft(
                L2,
                settings.distributedCache().softTimeout(),
                settings.distributedCache().timeout());
        soft(
                L3,
                settings.backupStorage().softTimeout(),
                settings.backupStorage().timeout());
    }

    private void soft(String tier, @Nullable Duration soft, Duration hard) {
        String path = tier + ".soft_timeout";
        if (soft != null && reading.sound(path, tier + ".timeout") && soft.compareTo(hard) >= 0) {
            reading.problem(
                    path,
                    DurationText.format(soft),
                    "must be shorter than timeout, " + DurationText.format(hard) + ", which ends the wait anyway");
        }
    }

    /** What a policy says of loading, by itself and beside what it says of staleness. */
    private void loading() {
        Duration most = settings.loading().timeout();
        policies((path, policy) -> {
            LoadingPolicy loading = policy.loading();
            String own = path + ".loading";
            Duration hard = loading.hardTimeout();
            if (hard != null
                    && reading.sound(own + ".hard_timeout", LOADING + ".timeout")
                    && hard.compareTo(most) > 0) {
                reading.problem(
                        own + ".hard_timeout",
                        DurationText.format(hard),
                        "must be at most loading.timeout, " + DurationText.format(most)
                                + ", at which a loader is interrupted");
            }
            Duration soft = loading.softTimeout();
            Duration wait = hard != null ? hard : most;
            if (soft != null
                    && reading.sound(own + ".soft_timeout", own + ".hard_timeout")
                    && soft.compareTo(wait) >= 0) {
                reading.problem(
                        own + ".soft_timeout",
                        DurationText.format(soft),
                        "must be shorter than " + (hard != null ? "hard_timeout" : "loading.timeout") + ", "
                                + DurationText.format(wait));
            }
            staleness(path, policy, loading);
            neverStale(path, policy);
        });
    }

    private void staleness(String path, CachePolicy policy, LoadingPolicy loading) {
        String own = path + ".loading.stale_while_revalidate";
        Duration revalidate = loading.staleWhileRevalidate();
        Duration stale = policy.staleTtl();
        if (revalidate != null
                && stale != null
                && reading.sound(own, path + ".stale_ttl")
                && revalidate.compareTo(stale) > 0) {
            reading.problem(
                    own,
                    DurationText.format(revalidate),
                    "must be at most stale_ttl, " + DurationText.format(stale) + ", which ends every stale answer");
        }
    }

    private void neverStale(String path, CachePolicy policy) {
        String own = path + ".failover.never_stale";
        Duration stale = policy.staleTtl();
        if (policy.failover() != null
                && policy.failover().neverStale()
                && stale != null
                && !stale.isZero()
                && reading.sound(own, path + ".stale_ttl")) {
            reading.problem(
                    own, "true", "contradicts stale_ttl, " + DurationText.format(stale) + ": remove one of them");
        }
    }

    /** Blames the one of the two that the file sets. */
    private void ordered(String loadPath, Duration load, String tombstonePath, Duration tombstone) {
        if (!reading.sound(loadPath, tombstonePath) || tombstone.compareTo(load) > 0) {
            return;
        }
        String because = ": an invalidation must outlive every load it has to beat";
        String loads = DurationText.format(load);
        String tombstones = DurationText.format(tombstone);
        if (reading.explicit().contains(tombstonePath)) {
            reading.problem(tombstonePath, tombstones, "must be longer than loading.timeout, " + loads + because);
        } else {
            reading.problem(
                    loadPath, loads, "must be shorter than limits.tombstone_retention, " + tombstones + because);
        }
    }

    private void lifetimes() {
        DistributedCacheSettings l2 = settings.distributedCache();
        Duration l1Ttl = settings.localCache().ttl();
        if (!l2.enabled() || !reading.sound(L1 + ".ttl", L2 + ".ttl", L3 + ".retention")) {
            return;
        }
        if (settings.localCache().enabled() && l1Ttl.compareTo(l2.ttl()) > 0) {
            String message = "is longer than distributed_cache.ttl, which ends an entry's life everywhere";
            reading.warning(L1 + ".ttl", DurationText.format(l1Ttl), message);
        }
        Duration retention = settings.backupStorage().retention();
        if (settings.backupStorage().enabled() && retention.compareTo(l2.ttl()) < 0) {
            String message = "is shorter than distributed_cache.ttl: the backup forgets entries that are still fresh";
            reading.warning(L3 + ".retention", DurationText.format(retention), message);
        }
    }

    private void origins() {
        Set<String> used = new HashSet<>(settings.caches().keySet());
        policies((path, policy) -> {
            String name = policy.origin().name();
            used.add(String.valueOf(name));
            if (name != null
                    && !settings.origins().containsKey(name)
                    && reading.sound(path + ".origin.name", ORIGINS)) {
                reading.problem(path + ".origin.name", name, "is no origin: describe it in origins, if only by {}");
            }
        });
        settings.origins().forEach((name, origin) -> {
            String path = ORIGINS + "." + name;
            if (!used.contains(name) && reading.sound(path, CACHES, CLASSES)) {
                reading.warning(path, "", "is the origin of no cache that is named here");
            }
            if (origin.fleetRatePerSecond() > 0
                    && !settings.distributedCache().enabled()
                    && reading.sound(path + ".fleet_rate", L2 + ".enabled")) {
                reading.problem(
                        path + ".fleet_rate",
                        Integer.toString(origin.fleetRatePerSecond()),
                        "is counted in L2, which is off: set distributed_cache.enabled, or rate in its place");
            }
            if (origin.ratePerSecond() == 0
                    && origin.fleetRatePerSecond() == 0
                    && reading.explicit().contains(path + ".burst")
                    && reading.sound(path + ".burst", path + ".rate", path + ".fleet_rate")) {
                reading.warning(
                        path + ".burst", Integer.toString(origin.burst()), "has no effect without rate or fleet_rate");
            }
        });
    }

    private void classes() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < settings.classes().size(); i++) {
            String pattern = settings.classes().get(i).pattern();
            if (seen.contains("*") || !seen.add(pattern)) {
                reading.warning(
                        CLASSES + "[" + i + "]", pattern, "matches nothing that an earlier class does not match");
            }
        }
    }

    private void exposure() {
        ServerSettings server = settings.server();
        Secret token = server.token();
        if (!reading.sound(SERVER + ".host", SERVER + ".token")) {
            return;
        }
        if (!ServerSettings.isLoopback(server.host()) && token == null) {
            reading.problem(
                    SERVER + ".host", server.host(), "is not loopback, which demands a token: set server.token");
        }
        if (token != null && token.reveal().length() < SHORTEST_TOKEN) {
            reading.warning(
                    SERVER + ".token",
                    token.toString(),
                    "is easy to guess: use " + SHORTEST_TOKEN + " characters or more");
        }
    }

    private void usefulness() {
        settings.caches().forEach((name, policy) -> {
            String near = CACHES + "." + name + ".near_cache";
            if (policy.nearCache() != null
                    && !settings.localCache().enabled()
                    && reading.sound(near, L1 + ".enabled")) {
                reading.warning(
                        near, "", "has no effect without local_cache, of whose entries it keeps copies; enable that");
            }
        });
        boolean some = settings.localCache().enabled()
                || settings.distributedCache().enabled()
                || settings.backupStorage().enabled();
        if (!some) {
            reading.warning(SettingsLoader.ROOT, "", "has every tier disabled: nothing will be cached");
        }
    }
}
