package dev.terrace.config;

import java.util.ArrayList;
import java.util.List;

/** What one setting demands of another. */
final class Consistency {
    private Consistency() {}

    /** Contradictions, which are problems. */
    static void check(Reading reading, Section root, Settings settings) {
        DistributedCacheSettings l2 = settings.distributedCache();
        Section remote = root.section("distributed_cache");
        if (l2.replicationFactor() > l2.clusterNodes().size()) {
            remote.wrong(
                    "replication_factor",
                    Integer.toString(l2.replicationFactor()),
                    "is more than the " + l2.clusterNodes().size() + " cluster_nodes there are",
                    "");
        }
        if (l2.topology() == DistributedCacheSettings.Topology.SENTINEL && l2.sentinelMaster() == null) {
            remote.wrong("topology", "sentinel", "needs sentinel_master, the name of the master", "");
        }
        if (l2.topology() == DistributedCacheSettings.Topology.CLUSTER && l2.database() != 0) {
            remote.wrong("database", Integer.toString(l2.database()), "must be 0 in a Redis Cluster", "");
        }
        if (l2.username() != null && l2.password() == null) {
            remote.wrong("username", l2.username(), "needs a password", "");
        }
        DistributedCacheSettings.TlsSettings tls = l2.tls();
        if (tls != null && (tls.certificateFile() == null) != (tls.keyFile() == null)) {
            remote.wrong("tls", "", "certificate_file and key_file belong together: give both or neither", "");
        }
        BackupStorageSettings l3 = settings.backupStorage();
        if (l3.encryption() && l3.passphrase() == null) {
            root.section("backup_storage")
                    .wrong(
                            "encryption",
                            "true",
                            "needs a key: set passphrase (\"${NAME}\" or \"file:/path\"), with or without keystore",
                            "");
        }
        if (settings.limits().tombstoneRetention().compareTo(settings.loading().timeout()) <= 0) {
            root.section("limits")
                    .wrong(
                            "tombstone_retention",
                            DurationText.format(settings.limits().tombstoneRetention()),
                            "must be longer than loading.timeout, "
                                    + DurationText.format(settings.loading().timeout())
                                    + ": an invalidation must outlive every load it has to beat",
                            "");
        }
        ServerSettings server = settings.server();
        if (!ServerSettings.isLoopback(server.host()) && server.token() == null) {
            root.section("server")
                    .wrong("host", server.host(), "is not loopback, which demands a token: set server.token", "");
        }
        if (reading.problems().isEmpty() && settings.limits().maxValueBytes() > server.maxBodyBytes()) {
            root.section("server")
                    .wrong(
                            "max_body_bytes",
                            Integer.toString(server.maxBodyBytes()),
                            "must be at least limits.max_value_bytes, "
                                    + settings.limits().maxValueBytes(),
                            "");
        }
    }

    /** What is allowed but probably not wanted. */
    static List<Problem> warnings(Settings settings) {
        List<Problem> warnings = new ArrayList<>();
        DistributedCacheSettings l2 = settings.distributedCache();
        String remote = SettingsLoader.ROOT + ".distributed_cache";
        if (l2.enabled()
                && l2.replicationFactor() == 2
                && l2.consistencyLevel() == DistributedCacheSettings.ConsistencyLevel.QUORUM) {
            warnings.add(
                    warning(
                            remote + ".replication_factor",
                            "2",
                            "with consistency_level quorum no write survives the loss of one copy: a majority of 2 is 2; use 3"));
        }
        if (l2.enabled()
                && (l2.replicationFactor() > 1
                        || l2.consistencyLevel() != DistributedCacheSettings.ConsistencyLevel.ASYNC)) {
            warnings.add(
                    warning(
                            remote,
                            "",
                            "replication_factor and consistency_level have no effect yet: one Redis deployment holds the keys"));
        }
        if (!settings.localCache().enabled()
                && !l2.enabled()
                && !settings.backupStorage().enabled()) {
            warnings.add(warning(SettingsLoader.ROOT, "", "every tier is disabled: nothing will be cached"));
        }
        if (settings.localCache().enabled()
                && l2.enabled()
                && settings.localCache().ttl().compareTo(l2.ttl()) > 0) {
            warnings.add(warning(
                    SettingsLoader.ROOT + ".local_cache.ttl",
                    DurationText.format(settings.localCache().ttl()),
                    "is longer than distributed_cache.ttl, which ends an entry's life everywhere"));
        }
        if (settings.backupStorage().enabled() && !settings.backupStorage().encryption()) {
            warnings.add(warning(
                    SettingsLoader.ROOT + ".backup_storage.encryption", "false", "values stand in clear on disk"));
        }
        return warnings;
    }

    private static Problem warning(String path, String value, String message) {
        return new Problem(path, 0, value, message, "");
    }
}
