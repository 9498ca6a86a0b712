package dev.terrace.node.storm;

import dev.terrace.testkit.nemesis.Fault;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/** One Redis Cluster of three primaries with a replica each, which keep what they acknowledge on disk. Not thread-safe but for its faults, which one nemesis calls. */
final class ClusterServers implements Servers {
    /** Long enough for a replica to be promoted and for the old primary to follow it. */
    private static final Duration RECOVERY = Duration.ofSeconds(7);

    private static final Duration SHORT = Duration.ofMillis(200);

    private final RedisClusterProcesses cluster = RedisClusterProcesses.startDurableWithReplicas(3);
    private final SplittableRandom slots;

    ClusterServers(long seed) {
        slots = new SplittableRandom(seed);
    }

    /** The addresses in a settings file's form. */
    String addresses() {
        return cluster.nodes().stream()
                .map(node -> "\"127.0.0.1:" + node.port() + "\"")
                .collect(Collectors.joining(", "));
    }

    @Override
    public String description() {
        return "cluster of 3 + 3, " + cluster.nodes().get(0).version();
    }

    @Override
    public List<Fault> faults() {
        List<Fault> faults = new ArrayList<>();
        List<RedisProcess> all = new ArrayList<>(cluster.nodes());
        all.addAll(cluster.replicas());
        for (int i = 0; i < all.size(); i++) {
            RedisProcess server = all.get(i);
            String name = "server-" + (i + 1);
            // One at a time and with a rest: a shard of two survives one loss, if the other has caught up.
            faults.add(Fault.of("kill", name, SHORT, Duration.ofSeconds(6), server::kill, server::restart)
                    .in("shard", RECOVERY));
            faults.add(Fault.of("freeze", name, SHORT, Duration.ofSeconds(6), server::freeze, server::thaw)
                    .in("shard", RECOVERY));
            faults.add(Fault.momentary("pause-clients", name, () -> server.pauseClients(Duration.ofMillis(800))));
            faults.add(Fault.momentary("move-slot-to", name, () -> moveSlotTo(server))
                    .in("shard", Duration.ofSeconds(1)));
        }
        for (int i = 0; i < cluster.replicas().size(); i++) {
            RedisProcess replica = cluster.replicas().get(i);
            faults.add(Fault.momentary("switch-over", "shard-" + (i + 1), () -> switchOver(replica))
                    .in("shard", RECOVERY));
        }
        return faults;
    }

    private void moveSlotTo(RedisProcess server) {
        if (isPrimary(server)) {
            cluster.migrateSlot(cluster.slotOf(KEY_PREFIX + ":storm:key-" + slots.nextInt(8)), server);
        }
    }

    /** Whichever of the two is the replica takes over, in good order. */
    private void switchOver(RedisProcess replica) {
        RedisProcess follower = isPrimary(replica) ? cluster.primaryOf(replica) : replica;
        if (!isPrimary(follower)) {
            cluster.failover(follower);
        }
    }

    private static boolean isPrimary(RedisProcess server) {
        return server.command("ROLE").contains("master");
    }

    @Override
    public void close() {
        cluster.close();
    }
}
