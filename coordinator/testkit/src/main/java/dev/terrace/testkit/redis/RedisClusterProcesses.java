package dev.terrace.testkit.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A Redis Cluster of real primaries on loopback, slots spread evenly. Not thread-safe. */
public final class RedisClusterProcesses implements AutoCloseable {
    private static final int SLOTS = 16_384;

    private final List<RedisProcess> nodes = new ArrayList<>();
    private final List<RedisProcess> replicas = new ArrayList<>();

    private RedisClusterProcesses() {}

    /** Starts {@code primaries} servers and waits until the cluster says it is whole. */
    public static RedisClusterProcesses start(int primaries) {
        return start(primaries, false);
    }

    /** As {@link #start(int)}, with one replica for each primary, in sync when this returns. */
    public static RedisClusterProcesses startWithReplicas(int primaries) {
        return start(primaries, true);
    }

    private static RedisClusterProcesses start(int primaries, boolean withReplicas) {
        RedisClusterProcesses cluster = new RedisClusterProcesses();
        try {
            for (int i = 0; i < primaries; i++) {
                cluster.nodes.add(server());
            }
            cluster.form();
            for (int i = 0; withReplicas && i < primaries; i++) {
                cluster.replicas.add(server());
            }
            cluster.join();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private static RedisProcess server() {
        return RedisProcess.start(
                "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no");
    }

    /** Makes each replica follow the primary of its number. */
    private void join() {
        for (int i = 0; i < replicas.size(); i++) {
            RedisProcess replica = replicas.get(i);
            replica.command(
                    "CLUSTER",
                    "MEET",
                    "127.0.0.1",
                    Integer.toString(nodes.get(0).port()));
            String primary = nodes.get(i).command("CLUSTER", "MYID").split("\r\n")[1];
            await(
                    "replica " + i,
                    () -> replica.command("CLUSTER", "REPLICATE", primary).startsWith("+OK"));
        }
        await(
                "replicas in sync",
                () -> replicas.stream()
                        .allMatch(replica ->
                                replica.command("INFO", "replication").contains("master_link_status:up")));
        await(
                "all nodes known",
                () -> Stream.concat(nodes.stream(), replicas.stream())
                        .allMatch(node -> node.command("CLUSTER", "INFO")
                                .contains("cluster_known_nodes:" + (nodes.size() + replicas.size()))));
    }

    /** Has {@code replica} take over from its primary, as an operator would, and waits until it has. */
    public void failover(RedisProcess replica) {
        await("failover", () -> {
            replica.command("CLUSTER", "FAILOVER");
            return replica.command("INFO", "replication").contains("role:master");
        });
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("not within 20 s: " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
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
        await("the cluster is whole", this::isWhole);
    }

    private boolean isWhole() {
        return nodes.stream()
                .map(node -> node.command("CLUSTER", "INFO"))
                .allMatch(info -> info.contains("cluster_state:ok")
                        && info.contains("cluster_slots_assigned:" + SLOTS)
                        && info.contains("cluster_known_nodes:" + nodes.size()));
    }

    /** The servers that were primaries at the start. */
    public List<RedisProcess> nodes() {
        return List.copyOf(nodes);
    }

    /** The servers that were replicas at the start; each of the primary with its number. */
    public List<RedisProcess> replicas() {
        return List.copyOf(replicas);
    }

    @Override
    public void close() {
        replicas.forEach(RedisProcess::close);
        nodes.forEach(RedisProcess::close);
    }
}
