package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Replica;
import dev.terrace.testkit.ReplicaContract;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A zone that is a Redis Cluster. */
class ClusterZoneContractIT extends ReplicaContract {
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
    protected Replica openZone() {
        cluster.nodes().forEach(node -> node.command("FLUSHALL"));
        return openAgain();
    }

    @Override
    protected Replica openAgain() {
        int[] ports = cluster.nodes().stream().mapToInt(RedisProcess::port).toArray();
        return ZoneFixture.reached(ZoneFixture.open("c", RedisFixture.settings(ports), clock, new MetricRegistry()));
    }

    @Override
    protected void forget() {
        cluster.nodes().forEach(node -> node.command("SCRIPT", "FLUSH"));
    }
}
