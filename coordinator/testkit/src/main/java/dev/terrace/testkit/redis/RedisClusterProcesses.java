package dev.terrace.testkit.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A Redis Cluster of real primaries on loopback, slots spread evenly. Not thread-safe. */
public final class RedisClusterProcesses implements AutoCloseable {
    private static final int SLOTS = 16_384;

    private final List<RedisProcess> nodes = new ArrayList<>();

    private RedisClusterProcesses() {}

    /** Starts {@code primaries} servers and waits until the cluster says it is whole. */
    public static RedisClusterProcesses start(int primaries) {
        RedisClusterProcesses cluster = new RedisClusterProcesses();
        try {
            for (int i = 0; i < primaries; i++) {
                cluster.nodes.add(RedisProcess.start(
                        "--cluster-enabled",
                        "yes",
                        "--cluster-node-timeout",
                        "2000",
                        "--cluster-require-full-coverage",
                        "no"));
            }
            cluster.form();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private void form() {
        int each = SLOTS / nodes.size();
        for (int i = 0; i < nodes.size(); i++) {
            int to = i == nodes.size() - 1 ? SLOTS : (i + 1) * each;
            List<String> words = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
            for (int slot = i * each; slot < to; slot++) {
                words.add(Integer.toString(slot));
            }
            nodes.get(i).command(words.toArray(String[]::new));
            nodes.get(i).command("CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
            nodes.get(0)
                    .command(
                            "CLUSTER",
                            "MEET",
                            "127.0.0.1",
                            Integer.toString(nodes.get(i).port()));
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!isWhole()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(
                        "the cluster did not form: " + nodes.get(0).command("CLUSTER", "INFO"));
            }
            Thread.onSpinWait();
        }
    }

    private boolean isWhole() {
        return nodes.stream()
                .map(node -> node.command("CLUSTER", "INFO"))
                .allMatch(info -> info.contains("cluster_state:ok")
                        && info.contains("cluster_slots_assigned:" + SLOTS)
                        && info.contains("cluster_known_nodes:" + nodes.size()));
    }

    /** The servers. */
    public List<RedisProcess> nodes() {
        return List.copyOf(nodes);
    }

    @Override
    public void close() {
        nodes.forEach(RedisProcess::close);
    }
}
