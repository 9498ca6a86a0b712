package dev.terrace.tier.redis;

import dev.terrace.api.SetupException;
import dev.terrace.api.TerraceException;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.Unavailability;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.api.redisnode.RedisNode;
import org.redisson.api.redisnode.RedisNodes;
import org.redisson.config.Config;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the connection in the background, again and again with growing pauses until it stands; then Redisson keeps it.
 * Callers are never held up: until then there is no client. Thread-safe.
 */
final class Connector implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Connector.class);
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;

    private final DistributedCacheSettings settings;
    private final RedissonSetup setup;
    private final SplittableRandom jitter = new SplittableRandom();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread connecting = new Thread(task, "terrace-l2-connector");
        connecting.setDaemon(true);
        return connecting;
    });
    private volatile @Nullable Connection connection;
    private volatile String trouble = "connecting";
    private volatile boolean closed;
    private long pauseMillis = SHORTEST_PAUSE_MILLIS;

    /** A client that is ready for use, and the lanes that all who use it share. */
    record Connection(RedissonClient client, boolean cluster, Lanes lanes) {}

    Connector(DistributedCacheSettings settings) {
        this.settings = settings;
        this.setup = new RedissonSetup(settings);
        thread.execute(this::attempt);
    }

    /** The connection, or null while there is none. */
    @Nullable
    Connection connection() {
        return connection;
    }

    /** Why there is no connection. */
    String trouble() {
        return trouble;
    }

    boolean isClosed() {
        return closed;
    }

    private void attempt() {
        try {
            Connection made = connect();
            if (!publish(made)) {
                made.client().shutdown(0, 1, TimeUnit.SECONDS);
                return;
            }
            LOG.info("remote tier connected nodes={} cluster={}", settings.clusterNodes(), made.cluster());
        } catch (Exception e) {
            if (!closed) {
                retryAfter(e);
            }
        }
    }

    /** False when the connector was closed while the connection was being made. */
    private synchronized boolean publish(Connection made) {
        if (closed) {
            return false;
        }
        connection = made;
        trouble = "";
        return true;
    }

    private void retryAfter(Exception e) {
        String why = Failures.describe(e) + missingCertificate(e);
        if (!why.equals(trouble)) {
            trouble = why;
            LOG.warn("remote tier not connected, trying on nodes={} reason={}", settings.clusterNodes(), why);
        }
        long pause = pauseMillis / 2 + jitter.nextLong(pauseMillis);
        pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, pauseMillis * 2);
        try {
            thread.schedule(this::attempt, pause, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            LOG.debug("remote tier closed while it was being connected");
        }
    }

    /** Since TLS 1.3 a server that misses our certificate hangs up without a word that reaches us. */
    private String missingCertificate(Exception e) {
        TlsSettings tls = settings.tls();
        return tls != null && tls.certificateFile() == null && Failures.cause(e) == Unavailability.DISCONNECTED
                ? "; if the server asks for a client certificate, set distributed_cache.tls.certificate_file"
                : "";
    }

    private Connection connect() throws Exception {
        Topology topology = settings.topology();
        if (topology == Topology.AUTO && settings.sentinelMaster() != null) {
            topology = Topology.SENTINEL;
        }
        if (topology != Topology.AUTO) {
            return ready(setup.of(topology, settings.clusterNodes().get(0)), topology == Topology.CLUSTER);
        }
        Exception last = null;
        for (HostAndPort node : settings.clusterNodes()) {
            try {
                return detect(node);
            } catch (TerraceException wrongTopology) {
                throw wrongTopology;
            } catch (Exception e) {
                last = e;
            }
        }
        throw last == null ? new IllegalStateException("no nodes configured") : last;
    }

    /** Asks one node whether it is part of a Redis Cluster. */
    private Connection detect(HostAndPort node) throws Exception {
        RedissonClient single = Redisson.create(setup.of(Topology.STANDALONE, node));
        boolean keep = false;
        try {
            Map<String, String> info =
                    single.getRedisNodes(RedisNodes.SINGLE).getInstance().info(RedisNode.InfoSection.CLUSTER);
            if ("1".equals(info.get("cluster_enabled"))) {
                return ready(setup.of(Topology.CLUSTER, node), true);
            }
            if (settings.clusterNodes().size() > 1) {
                throw new SetupException(
                        node + " is a server of its own, not part of a Redis Cluster, but cluster_nodes names "
                                + settings.clusterNodes().size()
                                + " nodes; copies over independent servers are not supported yet",
                        "name one server, the nodes of a Redis Cluster, or sentinels with sentinel_master");
            }
            loadScripts(single);
            keep = true;
            return connection(single, false);
        } finally {
            if (!keep) {
                single.shutdown(0, 1, TimeUnit.SECONDS);
            }
        }
    }

    private Connection ready(Config config, boolean cluster) throws Exception {
        RedissonClient client = Redisson.create(config);
        try {
            loadScripts(client);
        } catch (Exception e) {
            client.shutdown(0, 1, TimeUnit.SECONDS);
            throw e;
        }
        return connection(client, cluster);
    }

    private Connection connection(RedissonClient client, boolean cluster) {
        return new Connection(
                client, cluster, new Lanes(client, settings.timeout().toMillis()));
    }

    private void loadScripts(RedissonClient client) throws ExecutionException, InterruptedException, TimeoutException {
        long bound = settings.timeout().plus(settings.connectTimeout()).toMillis();
        Scripts.load(client).toCompletableFuture().get(bound, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        Connection last;
        synchronized (this) {
            closed = true;
            last = connection;
            connection = null;
            trouble = "closed";
        }
        thread.shutdownNow();
        if (last != null) {
            last.client().shutdown(0, 2, TimeUnit.SECONDS);
        }
    }
}
