package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.BaseConfig;
import org.redisson.config.BaseMasterSlaveServersConfig;
import org.redisson.config.ClusterServersConfig;
import org.redisson.config.Config;
import org.redisson.config.ReadMode;
import org.redisson.config.SentinelServersConfig;
import org.redisson.config.SingleServerConfig;
import org.redisson.config.SslVerificationMode;

/**
 * Redisson's configuration for our settings. Small pools and few threads, because large ones measure slower; no retries,
 * because a retried call outlives its deadline; reads from primaries, because versions are decided there.
 */
final class RedissonSetup {
    private static final int NETTY_THREADS = 4;
    private static final int CALLBACK_THREADS = 2;
    private static final int PING_MILLIS = 2_000;

    private final DistributedCacheSettings settings;

    RedissonSetup(DistributedCacheSettings settings) {
        this.settings = settings;
    }

    Config of(Topology topology, HostAndPort single) {
        Config config = new Config();
        config.setCodec(ByteArrayCodec.INSTANCE);
        config.setNettyThreads(NETTY_THREADS);
        config.setThreads(CALLBACK_THREADS);
        config.setUseScriptCache(false);
        if (settings.username() != null) {
            config.setUsername(settings.username());
        }
        if (settings.password() != null) {
            config.setPassword(settings.password().reveal());
        }
        if (settings.tls() != null) {
            secure(config, settings.tls());
        }
        config.setTcpNoDelay(true);
        config.setTcpKeepAlive(true);
        switch (topology) {
            case CLUSTER -> {
                ClusterServersConfig cluster = config.useClusterServers();
                settings.clusterNodes().forEach(node -> cluster.addNodeAddress(address(node)));
                cluster.setScanInterval(1_000);
                cluster.setCheckSlotsCoverage(false);
                pools(cluster);
            }
            case SENTINEL -> {
                SentinelServersConfig sentinel = config.useSentinelServers();
                settings.clusterNodes().forEach(node -> sentinel.addSentinelAddress(address(node)));
                sentinel.setMasterName(settings.sentinelMaster());
                sentinel.setDatabase(settings.database());
                sentinel.setCheckSentinelsList(false);
                sentinel.setScanInterval(1_000);
                pools(sentinel);
            }
            case AUTO, STANDALONE -> {
                SingleServerConfig server = config.useSingleServer();
                server.setAddress(address(single));
                server.setDatabase(settings.database());
                server.setConnectionPoolSize(settings.poolSize());
                server.setConnectionMinimumIdleSize(Math.min(2, settings.poolSize()));
                server.setSubscriptionConnectionMinimumIdleSize(0);
                timing(server);
            }
        }
        return config;
    }

    private void pools(BaseMasterSlaveServersConfig<?> servers) {
        servers.setReadMode(ReadMode.MASTER);
        servers.setMasterConnectionPoolSize(settings.poolSize());
        servers.setMasterConnectionMinimumIdleSize(Math.min(2, settings.poolSize()));
        servers.setSlaveConnectionMinimumIdleSize(0);
        servers.setSubscriptionConnectionMinimumIdleSize(0);
        timing(servers);
    }

    private void timing(BaseConfig<?> servers) {
        // The tier keeps the deadline of each call itself. This one also covers the first handshake, which in a cold
        // JVM
        // takes longer than any call.
        servers.setTimeout((int) Math.max(
                settings.timeout().toMillis(), settings.connectTimeout().toMillis()));
        servers.setConnectTimeout((int) settings.connectTimeout().toMillis());
        servers.setRetryAttempts(0);
        servers.setPingConnectionInterval(PING_MILLIS);
    }

    private static void secure(Config config, TlsSettings tls) {
        TrustManagerFactory trust = PemFiles.trust(tls);
        if (trust != null) {
            config.setSslTrustManagerFactory(trust);
        }
        KeyManagerFactory identity = PemFiles.identity(tls);
        if (identity != null) {
            config.setSslKeyManagerFactory(identity);
        }
        config.setSslVerificationMode(tls.verifyHostname() ? SslVerificationMode.STRICT : SslVerificationMode.CA_ONLY);
    }

    private String address(HostAndPort node) {
        return (settings.tls() == null ? "redis://" : "rediss://") + node;
    }
}
