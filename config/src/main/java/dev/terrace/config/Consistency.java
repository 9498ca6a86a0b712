package dev.terrace.config;

import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * What one setting demands of another. A contradiction is a problem; what is allowed but probably not wanted is a warning.
 * A rule is silent when a setting that it looks at has a problem already, because then it would judge a stand-in.
 */
final class Consistency {
    private static final String L1 = SettingsLoader.ROOT + ".local_cache";
    private static final String L2 = SettingsLoader.ROOT + ".distributed_cache";
    private static final String L3 = SettingsLoader.ROOT + ".backup_storage";
    private static final String FAILOVER = SettingsLoader.ROOT + ".failover";
    private static final String LIMITS = SettingsLoader.ROOT + ".limits";
    private static final String LOADING = SettingsLoader.ROOT + ".loading";
    private static final String SERVER = SettingsLoader.ROOT + ".server";
    private static final String CACHES = SettingsLoader.ROOT + ".caches";
    private static final String CLASSES = SettingsLoader.ROOT + ".classes";

    /** Below this an entry does not even hold its own header. */
    private static final long LEAST_BYTES_PER_ENTRY = 128;

    private static final int SHORTEST_TOKEN = 16;

    private final Reading reading;
    private final Settings settings;

    private Consistency(Reading reading, Settings settings) {
        this.reading = reading;
        this.settings = settings;
    }

    /** Applies every rule. */
    static void check(Reading reading, Settings settings) {
        Consistency rules = new Consistency(reading, settings);
        rules.copies();
        rules.topology();
        rules.credentials();
        rules.encryption();
        rules.durability();
        rules.bounds();
        rules.lifetimes();
        rules.classes();
        rules.exposure();
        rules.usefulness();
    }

    private void copies() {
        DistributedCacheSettings l2 = settings.distributedCache();
        String path = L2 + ".replication_factor";
        if (!reading.sound(path, L2 + ".cluster_nodes", L2 + ".consistency_level")) {
            return;
        }
        int copies = l2.replicationFactor();
        if (copies > l2.clusterNodes().size()) {
            reading.problem(
                    path,
                    Integer.toString(copies),
                    "is more than the " + l2.clusterNodes().size() + " cluster_nodes there are");
        }
        if (l2.enabled() && copies == 2 && l2.consistencyLevel() == ConsistencyLevel.QUORUM) {
            reading.warning(
                    path,
                    "2",
                    "with consistency_level quorum no write survives the loss of one copy: a majority of 2 is 2; use 3");
        }
        if (l2.enabled() && (copies > 1 || l2.consistencyLevel() != ConsistencyLevel.ASYNC)) {
            reading.warning(
                    L2,
                    "",
                    "replication_factor and consistency_level have no effect in this version: one Redis deployment holds"
                            + " the keys");
        }
    }

    private void topology() {
        DistributedCacheSettings l2 = settings.distributedCache();
        String path = L2 + ".topology";
        if (reading.sound(path, L2 + ".sentinel_master")) {
            boolean named = l2.sentinelMaster() != null;
            if (l2.topology() == Topology.SENTINEL && !named) {
                reading.problem(path, "sentinel", "needs sentinel_master, the name of the master");
            }
            if (named && (l2.topology() == Topology.CLUSTER || l2.topology() == Topology.STANDALONE)) {
                reading.problem(L2 + ".sentinel_master", "", "is only for topology sentinel; remove one of the two");
            }
        }
        if (reading.sound(path, L2 + ".database") && l2.topology() == Topology.CLUSTER && l2.database() != 0) {
            reading.problem(L2 + ".database", Integer.toString(l2.database()), "must be 0 in a Redis Cluster");
        }
        if (reading.sound(path, L2 + ".cluster_nodes")
                && l2.topology() == Topology.STANDALONE
                && l2.clusterNodes().size() > 1) {
            reading.warning(
                    L2 + ".cluster_nodes", "", "has several servers, of which topology standalone uses the first only");
        }
    }

    private void credentials() {
        DistributedCacheSettings l2 = settings.distributedCache();
        if (reading.sound(L2 + ".username", L2 + ".password") && l2.username() != null && l2.password() == null) {
            reading.problem(L2 + ".username", "", "needs a password");
        }
        TlsSettings tls = l2.tls();
        if (tls == null || !reading.sound(L2 + ".tls.certificate_file", L2 + ".tls.key_file")) {
            return;
        }
        if ((tls.certificateFile() == null) != (tls.keyFile() == null)) {
            String given = tls.keyFile() == null ? ".tls.certificate_file" : ".tls.key_file";
            reading.problem(L2 + given, "", "must come with its other half: certificate_file and key_file, or neither");
        }
    }

    private void encryption() {
        BackupStorageSettings l3 = settings.backupStorage();
        if (!reading.sound(L3 + ".encryption", L3 + ".passphrase", L3 + ".keystore")) {
            return;
        }
        if (l3.encryption() && l3.passphrase() == null) {
            reading.problem(
                    L3 + ".encryption",
                    "true",
                    "needs a key: set passphrase (\"${NAME}\" or \"file:/path\"), with or without keystore");
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
        if (settings.backupStorage().durable()) {
            reading.problem(L3 + ".durable", "true", message);
        }
        settings.caches().forEach((name, policy) -> {
            if (Boolean.TRUE.equals(policy.durable())) {
                reading.problem(CACHES + "." + name + ".durable", "true", message);
            }
        });
        for (int i = 0; i < settings.classes().size(); i++) {
            if (Boolean.TRUE.equals(settings.classes().get(i).policy().durable())) {
                reading.problem(CLASSES + "[" + i + "].durable", "true", message);
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
        FailoverSettings failover = settings.failover();
        if (reading.sound(FAILOVER) && !failover.equals(FailoverSettings.defaults())) {
            reading.warning(
                    FAILOVER,
                    "",
                    "has no effect in this version: a tier that fails is skipped, and nothing else changes");
        }
        boolean some = settings.localCache().enabled()
                || settings.distributedCache().enabled()
                || settings.backupStorage().enabled();
        if (!some) {
            reading.warning(SettingsLoader.ROOT, "", "has every tier disabled: nothing will be cached");
        }
    }
}
