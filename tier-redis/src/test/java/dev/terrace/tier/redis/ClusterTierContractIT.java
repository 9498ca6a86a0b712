package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TierContract;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class ClusterTierContractIT extends TierContract {
    private static RedisClusterProcesses cluster;

    @BeforeAll
    static void start() {
        cluster = RedisClusterProcesses.start(3);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Override
    protected Tier openTier() {
        cluster.nodes().forEach(node -> node.command("FLUSHALL"));
        int[] ports = cluster.nodes().stream().mapToInt(RedisProcess::port).toArray();
        return RedisFixture.openReady(RedisFixture.settings(ports), clock, new MetricRegistry());
    }
}
