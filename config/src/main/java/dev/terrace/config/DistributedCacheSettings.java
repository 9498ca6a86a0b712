package dev.terrace.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
 * @param connectTimeout the deadline of making one connection
 * @param poolSize connections per server
 * @param database the Redis database; 0 in a Redis Cluster
 * @param keyPrefix first part of every Redis key
 * @param username ACL user; null for the default user
 * @param password null when the server asks for none
 * @param tls null for plain connections
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
        Duration connectTimeout,
        int poolSize,
        int database,
        String keyPrefix,
        @Nullable String username,
        @Nullable Secret password,
        @Nullable TlsSettings tls) {
    /** Copies the list. */
    public DistributedCacheSettings {
        clusterNodes = List.copyOf(clusterNodes);
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
                Duration.ofSeconds(2),
                8,
                0,
                "terrace",
                null,
                null,
                null);
    }
}
