package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Backplane;
import dev.terrace.testkit.BackplaneContract;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The log in a Redis Cluster: on the primary of one slot. */
class ClusterLogContractIT extends BackplaneContract {
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
    protected Backplane openBackplane() {
        int[] ports = cluster.nodes().stream().mapToInt(RedisProcess::port).toArray();
        return new RedisLog("", RedisFixture.settings(ports), new MetricRegistry());
    }
}
