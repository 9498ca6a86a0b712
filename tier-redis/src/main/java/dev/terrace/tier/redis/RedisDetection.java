package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.ZoneDetection;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.api.redisnode.RedisNode;
import org.redisson.api.redisnode.RedisNodes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks one node after the other whether it is part of a Redis Cluster, in rounds, until one answers. Thread-safe. */
final class RedisDetection implements ZoneDetection {
    private static final Logger LOG = LoggerFactory.getLogger(RedisDetection.class);
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;

    private final DistributedCacheSettings settings;
    private final RedissonSetup setup;
    private final CompletableFuture<Boolean> several = new CompletableFuture<>();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread asking = new Thread(task, "terrace-l2-detection");
        asking.setDaemon(true);
        return asking;
    });
    private volatile String trouble = "asking the nodes what they are";
    private long pauseMillis = SHORTEST_PAUSE_MILLIS;

    RedisDetection(DistributedCacheSettings settings) {
        this.settings = settings;
        this.setup = new RedissonSetup(settings);
        thread.execute(this::round);
    }

    private void round() {
        for (HostAndPort node : settings.clusterNodes()) {
            if (thread.isShutdown()) {
                return;
            }
            try {
                boolean cluster = isCluster(node);
                trouble = "";
                several.complete(!cluster);
                thread.shutdown();
                return;
            } catch (RuntimeException e) {
                String why = node + ": " + Failures.describe(e);
                if (!why.equals(trouble)) {
                    LOG.debug("node cannot say what it is node={} reason={}", node, why);
                }
                trouble = why;
            }
        }
        LOG.warn("no node can say yet whether cluster_nodes are zones or a Redis Cluster reason={}", trouble);
        try {
            thread.schedule(this::round, pauseMillis, TimeUnit.MILLISECONDS);
            pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, 2 * pauseMillis);
        } catch (RejectedExecutionException closing) {
            LOG.debug("closed before any node could say what it is");
        }
    }

    private boolean isCluster(HostAndPort node) {
        RedissonClient client = Redisson.create(setup.of(Topology.STANDALONE, node));
        try {
            Map<String, String> info =
                    client.getRedisNodes(RedisNodes.SINGLE).getInstance().info(RedisNode.InfoSection.CLUSTER);
            return "1".equals(info.get("cluster_enabled"));
        } finally {
            client.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    @Override
    public CompletionStage<Boolean> several() {
        return several;
    }

    @Override
    public String trouble() {
        return trouble;
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
