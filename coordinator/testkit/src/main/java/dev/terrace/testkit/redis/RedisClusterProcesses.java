package dev.terrace.testkit.redis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Redis Cluster of real primaries, and replicas if asked for, on loopback, slots spread evenly. Not thread-safe. */
public final class RedisClusterProcesses implements AutoCloseable {
    private static final int SLOTS = 16_384;

    private final List<RedisProcess> nodes = new ArrayList<>();
    private final List<RedisProcess> replicas = new ArrayList<>();
    private final Map<RedisProcess, RedisProcess> primaryOf = new HashMap<>();

    private RedisClusterProcesses() {}

    /** Starts {@code primaries} servers and waits until the cluster says it is whole. */
    public static RedisClusterProcesses start(int primaries) {
        return startShards(new int[primaries]);
    }

    /** As {@link #start(int)}, with one replica for each primary, in sync and ready to take over when this returns. */
    public static RedisClusterProcesses startWithReplicas(int primaries) {
        return startShards(List.of(), oneEach(primaries));
    }

    /**
     * As {@link #startWithReplicas}, with servers that have every write in their append-only file before they answer it. Without one, a
     * primary that comes back before its replica was promoted has nothing, and has its replica forget everything too.
     */
    public static RedisClusterProcesses startDurableWithReplicas(int primaries) {
        return startShards(List.of("--appendonly", "yes", "--appendfsync", "always"), oneEach(primaries));
    }

    private static int[] oneEach(int primaries) {
        int[] replicas = new int[primaries];
        Arrays.fill(replicas, 1);
        return replicas;
    }

    /** One primary for each number, with so many replicas, in sync and ready to take over when this returns. */
    public static RedisClusterProcesses startShards(int... replicasOfEach) {
        return startShards(List.of(), replicasOfEach);
    }

    private static RedisClusterProcesses startShards(List<String> persistence, int[] replicasOfEach) {
        RedisClusterProcesses cluster = new RedisClusterProcesses();
        try {
            for (int i = 0; i < replicasOfEach.length; i++) {
                cluster.nodes.add(server(persistence));
            }
            cluster.form();
            for (int i = 0; i < replicasOfEach.length; i++) {
                for (int j = 0; j < replicasOfEach[i]; j++) {
                    RedisProcess replica = server(persistence);
                    cluster.replicas.add(replica);
                    cluster.primaryOf.put(replica, cluster.nodes.get(i));
                }
            }
            cluster.join();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private static RedisProcess server(List<String> persistence) {
        List<String> arguments = new ArrayList<>(List.of(
                "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"));
        arguments.addAll(persistence);
        return RedisProcess.start(arguments.toArray(String[]::new));
    }

    /** Makes each replica follow its primary. */
    private void join() {
        for (int i = 0; i < replicas.size(); i++) {
            RedisProcess replica = replicas.get(i);
            replica.command(
                    "CLUSTER",
                    "MEET",
                    "127.0.0.1",
                    Integer.toString(nodes.get(0).port()));
            String primary = id(primaryOf(replica));
            await(
                    "replica " + i,
                    () -> replica.command("CLUSTER", "REPLICATE", primary).startsWith("+OK"));
        }
        await(
                "replicas in sync",
                () -> replicas.stream()
                        .allMatch(replica ->
                                replica.command("INFO", "replication").contains("master_link_status:up")));
        await("everybody knows everybody", () -> all().allMatch(this::knowsAll));
    }

    /**
     * Whether {@code server} was told of all the others, and of each replica whose it is. Servers ignore whomever nobody that they know
     * has told them of: a replica that knows only its primary when that one dies is never promoted, though all the others know it.
     */
    private boolean knowsAll(RedisProcess server) {
        // <id> <address> <flags> <primary> <ping> <pong> <epoch> <link> <slots>
        String known = server.command("CLUSTER", "NODES");
        return nodes.stream().allMatch(node -> knows(known, node, "master -"))
                && replicas.stream().allMatch(replica -> knows(known, replica, "slave " + id(primaryOf(replica))))
                && !known.contains("handshake");
    }

    private static boolean knows(String known, RedisProcess server, String as) {
        return known.lines()
                .anyMatch(line -> line.contains(":" + server.port() + "@")
                        && line.contains(as + " ")
                        && line.contains(" connected"));
    }

    /** Has {@code replica} take over from its primary, as an operator would, and waits until it has. */
    public void failover(RedisProcess replica) {
        await("failover", () -> {
            replica.command("CLUSTER", "FAILOVER");
            return replica.command("INFO", "replication").contains("role:master");
        });
    }

    /** The primary that {@code replica} followed at the start. */
    public RedisProcess primaryOf(RedisProcess replica) {
        RedisProcess primary = primaryOf.get(replica);
        if (primary == null) {
            throw new IllegalArgumentException("no replica of this cluster: port " + replica.port());
        }
        return primary;
    }

    /** The replicas that followed {@code primary} at the start. */
    public List<RedisProcess> replicasOf(RedisProcess primary) {
        return replicas.stream()
                .filter(replica -> primaryOf.get(replica) == primary)
                .toList();
    }

    /** The slot of a key. */
    public int slotOf(String key) {
        String answer = alive().command("CLUSTER", "KEYSLOT", key);
        return Integer.parseInt(answer.substring(1).strip());
    }

    /** Who serves {@code slot} now, by what those say who live. */
    public RedisProcess ownerOf(int slot) {
        for (RedisProcess server : all().toList()) {
            if (server.isAlive() && owns(server, slot)) {
                return server;
            }
        }
        throw new IllegalStateException("nobody serves slot " + slot);
    }

    private static boolean owns(RedisProcess server, int slot) {
        // <id> <address> myself,master - 0 0 1 connected 0-5460 7000 [93-<-id]
        for (String line : server.command("CLUSTER", "NODES").split("\n")) {
            String[] words = line.strip().split(" ");
            if (words.length > 8 && words[2].contains("myself") && words[2].contains("master")) {
                for (String range : Arrays.asList(words).subList(8, words.length)) {
                    String[] ends = range.startsWith("[") ? new String[0] : range.split("-");
                    if (ends.length > 0
                            && Integer.parseInt(ends[0]) <= slot
                            && slot <= Integer.parseInt(ends[ends.length - 1])) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** Moves a slot and its keys to {@code to}, as a resharding does: clients see ASK, then MOVED. */
    public void migrateSlot(int slot, RedisProcess to) {
        RedisProcess from = ownerOf(slot);
        if (from == to) {
            return;
        }
        String number = Integer.toString(slot);
        to.command("CLUSTER", "SETSLOT", number, "IMPORTING", id(from));
        from.command("CLUSTER", "SETSLOT", number, "MIGRATING", id(to));
        await("keys of slot " + slot + " moved", () -> {
            List<String> keys = bulks(from.command("CLUSTER", "GETKEYSINSLOT", number, "100"));
            if (keys.isEmpty()) {
                return true;
            }
            List<String> words = new ArrayList<>(
                    List.of("MIGRATE", "127.0.0.1", Integer.toString(to.port()), "", "0", "5000", "REPLACE", "KEYS"));
            words.addAll(keys);
            from.command(words.toArray(String[]::new));
            return false;
        });
        // The new owner first: if it fails in between, nobody believes that the slot has no owner.
        to.command("CLUSTER", "SETSLOT", number, "NODE", id(to));
        from.command("CLUSTER", "SETSLOT", number, "NODE", id(to));
        for (RedisProcess primary : nodes) {
            if (primary.isAlive() && primary.command("INFO", "replication").contains("role:master")) {
                primary.command("CLUSTER", "SETSLOT", number, "NODE", id(to));
            }
        }
    }

    /** Lets {@code replica} hear nothing more from its primary, while the cluster goes on seeing it. */
    public void cutReplication(RedisProcess replica) {
        // The primary has no password, so it turns the replica away when it comes back with one.
        replica.command("CONFIG", "SET", "masterauth", "cut");
        replica.command("CLIENT", "KILL", "TYPE", "master");
        await(
                "the replication is cut",
                () -> replica.command("INFO", "replication").contains("master_link_status:down"));
    }

    /** Undoes {@link #cutReplication}. */
    public void mendReplication(RedisProcess replica) {
        replica.command("CONFIG", "SET", "masterauth", "");
        await(
                "the replication stands",
                () -> replica.command("INFO", "replication").contains("master_link_status:up"));
    }

    /** Waits until {@code server} has become a primary by itself. */
    public void awaitPromoted(RedisProcess server) {
        await("promoted", () -> server.command("ROLE").contains("master"));
    }

    private static String id(RedisProcess server) {
        return server.command("CLUSTER", "MYID").split("\r\n")[1];
    }

    private Stream<RedisProcess> all() {
        return Stream.concat(nodes.stream(), replicas.stream());
    }

    private RedisProcess alive() {
        return all().filter(RedisProcess::isAlive)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no server lives"));
    }

    /** The bulk strings of an array answer; for keys without line ends. */
    private static List<String> bulks(String answer) {
        String[] lines = answer.split("\r\n");
        List<String> bulks = new ArrayList<>();
        for (int i = 2; i < lines.length; i += 2) {
            bulks.add(lines[i]);
        }
        return bulks;
    }

    private void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("not within 20 s: " + what + "\n" + describe());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50)); // before servers are asked once more
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

    /** The servers that were replicas at the start, in the order of their primaries. */
    public List<RedisProcess> replicas() {
        return List.copyOf(replicas);
    }

    /** What each server says of the cluster and has printed, for the message of a failure. */
    public String describe() {
        return all().map(RedisProcess::describe).collect(Collectors.joining("\n"));
    }

    @Override
    public void close() {
        replicas.forEach(RedisProcess::close);
        nodes.forEach(RedisProcess::close);
    }
}
