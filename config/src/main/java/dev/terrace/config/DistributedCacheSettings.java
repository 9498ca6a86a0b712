package dev.terrace.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * L2, the remote tier.
 *
 * @param enabled whether there is one
 * @param backend the tier provider's name; {@code redis}
 * @param clusterNodes where to find it: the server, the sentinels, or some nodes of the Redis Cluster
 * @param topology what the nodes are
 * @param sentinelMaster the master's name, for {@link Topology#SENTINEL}
 * @param replicationFactor how many copies of a key there are
 * @param consistencyLevel how many of them must acknowledge a write
 * @param ttl time to live of entries that say nothing else
 * @param timeout the deadline of every call
 * @param softTimeout longest wait of a read before the search goes on without L2; null for {@code timeout}
 * @param connectTimeout the deadline of making one connection
 * @param poolSize connections per server
 * @param database the Redis database; 0 in a Redis Cluster
 * @param keyPrefix first part of every Redis key
 * @param username ACL user; null for the default user
 * @param password null when the server asks for none
 * @param tls null for plain connections
 * @param replication how copies are kept over zones
 */
public record DistributedCacheSettings(
        boolean enabled,
        String backend,
        List<HostAndPort> clusterNodes,
        Topology topology,
        @Nullable String sentinelMaster,
        int replicationFactor,
        ConsistencyLevel consistencyLevel,
        Duration ttl,
        Duration timeout,
        @Nullable Duration softTimeout,
        Duration connectTimeout,
        int poolSize,
        int database,
        String keyPrefix,
        @Nullable String username,
        @Nullable Secret password,
        @Nullable TlsSettings tls,
        ReplicationSettings replication) {
    /** Copies the list. */
    public DistributedCacheSettings {
        clusterNodes = List.copyOf(clusterNodes);
    }

    /** These settings switched on, with other servers. */
    public DistributedCacheSettings at(Topology newTopology, HostAndPort... nodes) {
        return with(draft -> {
            draft.enabled = true;
            draft.topology = newTopology;
            draft.clusterNodes = List.of(nodes);
        });
    }

    /** These settings with another master that sentinels know. */
    public DistributedCacheSettings withSentinelMaster(@Nullable String other) {
        return with(draft -> draft.sentinelMaster = other);
    }

    /** These settings with other copies of every key, and other acknowledgements of them. */
    public DistributedCacheSettings withCopies(int factor, ConsistencyLevel level) {
        return with(draft -> {
            draft.replicationFactor = factor;
            draft.consistencyLevel = level;
        });
    }

    /** These settings with another time to live. */
    public DistributedCacheSettings withTtl(Duration other) {
        return with(draft -> draft.ttl = other);
    }

    /** These settings with another deadline of calls. */
    public DistributedCacheSettings withTimeout(Duration other) {
        return with(draft -> draft.timeout = other);
    }

    /** These settings with another deadline of making a connection. */
    public DistributedCacheSettings withConnectTimeout(Duration other) {
        return with(draft -> draft.connectTimeout = other);
    }

    /** These settings with another patience of reads; null for that of every call. */
    public DistributedCacheSettings withSoftTimeout(@Nullable Duration other) {
        return with(draft -> draft.softTimeout = other);
    }

    /** These settings with another number of connections per server. */
    public DistributedCacheSettings withPoolSize(int other) {
        return with(draft -> draft.poolSize = other);
    }

    /** These settings with another first part of every Redis key. */
    public DistributedCacheSettings withKeyPrefix(String other) {
        return with(draft -> draft.keyPrefix = other);
    }

    /** These settings with another user; null for the default user, and where the servers ask for no password. */
    public DistributedCacheSettings withLogin(@Nullable String newUsername, @Nullable Secret newPassword) {
        return with(draft -> {
            draft.username = newUsername;
            draft.password = newPassword;
        });
    }

    /** These settings with other encryption; null for plain connections. */
    public DistributedCacheSettings withTls(@Nullable TlsSettings other) {
        return with(draft -> draft.tls = other);
    }

    /** These settings with other replication. */
    public DistributedCacheSettings withReplication(ReplicationSettings other) {
        return with(draft -> draft.replication = other);
    }

    /**
     * The zones: those that the file names, else what {@code cluster_nodes} may be. Several nodes of topology
     * {@link Topology#AUTO} are one zone each, named by their address; when asking them shows one Redis Cluster, or sentinels,
     * they are the single zone of {@link #oneZone} instead.
     */
    public List<ZoneSettings> zones() {
        if (!replication.zones().isEmpty()) {
            return replication.zones();
        }
        if (topology == Topology.AUTO && sentinelMaster == null && clusterNodes.size() > 1) {
            return clusterNodes.stream()
                    .map(node -> ZoneSettings.of(node.toString(), Topology.STANDALONE, node))
                    .toList();
        }
        return List.of(oneZone());
    }

    /** True when only the servers can tell whether {@code cluster_nodes} are several zones or one. */
    public boolean zonesAreGuessed() {
        return replication.zones().isEmpty() && zones().size() > 1;
    }

    /** All of {@code cluster_nodes} as one zone, named by the first. */
    public ZoneSettings oneZone() {
        return new ZoneSettings(
                clusterNodes.get(0).toString(),
                clusterNodes,
                topology,
                1,
                sentinelMaster,
                null,
                null,
                null,
                false,
                ZoneSettings.State.SERVING);
    }

    /** The settings of one deployment with the nodes, topology and credentials of {@code zone}. */
    public DistributedCacheSettings ofZone(ZoneSettings zone) {
        return with(draft -> {
            draft.clusterNodes = zone.nodes();
            draft.topology = zone.topology();
            draft.sentinelMaster = zone.sentinelMaster();
            draft.replicationFactor = 1;
            if (zone.password() != null) {
                draft.username = zone.username();
                draft.password = zone.password();
            }
            if (zone.tls() != null) {
                draft.tls = zone.tls();
            }
            draft.replication = replication.withZones(List.of());
        });
    }

    /** What the nodes are. */
    public enum Topology {
        /** Find out by asking: one node that is not in cluster mode is a standalone server. */
        AUTO,
        /** One server. */
        STANDALONE,
        /** Sentinels that know the master. */
        SENTINEL,
        /** Nodes of one Redis Cluster. */
        CLUSTER
    }

    /** How many copies must acknowledge a write. */
    public enum ConsistencyLevel {
        /** The first. */
        ASYNC,
        /** A majority. */
        QUORUM,
        /** All. */
        SYNC
    }

    /**
     * TLS towards Redis.
     *
     * @param caFile PEM certificates to trust; null for the JVM's own
     * @param certificateFile PEM client certificate chain, or null
     * @param keyFile PEM client key (PKCS#8), or null
     * @param verifyHostname whether the server's name must match its certificate
     */
    public record TlsSettings(
            @Nullable Path caFile,
            @Nullable Path certificateFile,
            @Nullable Path keyFile,
            boolean verifyHostname) {}

    /** Off; {@code localhost:6379} when switched on. */
    public static DistributedCacheSettings defaults() {
        return new DistributedCacheSettings(
                false,
                "redis",
                List.of(new HostAndPort("localhost", 6379)),
                Topology.AUTO,
                null,
                1,
                ConsistencyLevel.ASYNC,
                Duration.ofMinutes(30),
                Duration.ofMillis(250),
                null,
                Duration.ofSeconds(2),
                8,
                0,
                "terrace",
                null,
                null,
                null,
                ReplicationSettings.defaults());
    }

    private DistributedCacheSettings with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy to be changed: the one place that lists all parts for it. */
    private static final class Draft {
        private boolean enabled;
        private String backend;
        private List<HostAndPort> clusterNodes;
        private Topology topology;
        private @Nullable String sentinelMaster;
        private int replicationFactor;
        private ConsistencyLevel consistencyLevel;
        private Duration ttl;
        private Duration timeout;
        private @Nullable Duration softTimeout;
        private Duration connectTimeout;
        private int poolSize;
        private int database;
        private String keyPrefix;
        private @Nullable String username;
        private @Nullable Secret password;
        private @Nullable TlsSettings tls;
        private ReplicationSettings replication;

        Draft(DistributedCacheSettings of) {
            enabled = of.enabled;
            backend = of.backend;
            clusterNodes = of.clusterNodes;
            topology = of.topology;
            sentinelMaster = of.sentinelMaster;
            replicationFactor = of.replicationFactor;
            consistencyLevel = of.consistencyLevel;
            ttl = of.ttl;
            timeout = of.timeout;
            softTimeout = of.softTimeout;
            connectTimeout = of.connectTimeout;
            poolSize = of.poolSize;
            database = of.database;
            keyPrefix = of.keyPrefix;
            username = of.username;
            password = of.password;
            tls = of.tls;
            replication = of.replication;
        }

        DistributedCacheSettings finished() {
            return new DistributedCacheSettings(
                    enabled,
                    backend,
                    clusterNodes,
                    topology,
                    sentinelMaster,
                    replicationFactor,
                    consistencyLevel,
                    ttl,
                    timeout,
                    softTimeout,
                    connectTimeout,
                    poolSize,
                    database,
                    keyPrefix,
                    username,
                    password,
                    tls,
                    replication);
        }
    }
}
