package dev.terrace.node.storm;

import dev.terrace.testkit.history.Held;
import dev.terrace.testkit.history.History;
import dev.terrace.testkit.history.HistoryRecorder;
import dev.terrace.testkit.nemesis.Fault;
import dev.terrace.testkit.nemesis.Nemesis;
import dev.terrace.testkit.nemesis.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One run: servers, nodes, clients and a nemesis for a while; then calm, with the clients going on; then a look at what every node
 * answers for every key. Not thread-safe.
 */
final class Storm implements AutoCloseable {
    private static final int CLIENTS = 9;
    private static final int READ_ROUNDS = 4;

    private final Path folder;
    private final Servers servers;
    private final List<NodeProcess> nodes = new ArrayList<>();
    private final HistoryRecorder recorder = new HistoryRecorder();
    private final Tally tally = new Tally();
    private final long seed;

    private final Workload workload;
    private String acknowledged = "L2";

    /** The settings file of node {@code node}, as YAML. */
    interface SettingsOf {
        String yaml(int node);
    }

    /**
     * What came out.
     *
     * @param calmNanos when the last fault had ended, by the history's clock
     * @param finalReads by node, then by key
     * @param healedMillis how long after the last fault every node stored in the remote tier again
     * @param agreedMillis how long after the last operation all nodes answered the same; -1 if never
     * @param bugs what nodes threw by mistake, and clients that failed
     */
    record Outcome(
            History history,
            long calmNanos,
            Map<String, Map<String, Held>> finalReads,
            Schedule schedule,
            List<String> nemesisLog,
            List<String> nemesisFailures,
            Tally tally,
            long healedMillis,
            long agreedMillis,
            List<String> bugs) {}

    /** Starts the nodes; closes {@code servers} in the end. */
    Storm(Path folder, Servers servers, Class<?> main, int nodeCount, Workload workload, long seed, SettingsOf settings)
            throws Exception {
        this.folder = folder;
        this.seed = seed;
        this.servers = servers;
        this.workload = workload;
        Files.createDirectories(folder);
        try {
            for (int n = 0; n < nodeCount; n++) {
                Path file = folder.resolve("node-" + (n + 1) + ".yaml");
                Files.writeString(file, settings.yaml(n));
                Files.deleteIfExists(folder.resolve("node-" + (n + 1) + ".log"));
                nodes.add(new NodeProcess("node-" + (n + 1), main, file, folder));
                nodes.get(n).start();
            }
            for (NodeProcess node : nodes) {
                node.awaitReady();
            }
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /** Where settings, logs and reports are. */
    Path folder() {
        return folder;
    }

    Servers servers() {
        return servers;
    }

    /** Counts writes as acknowledged only when other nodes are sure to hear of them. */
    void onlyAnnouncedCounts() {
        acknowledged = StormNode.ANNOUNCED;
    }

    List<NodeProcess> nodes() {
        return nodes;
    }

    /** What can befall nodes. */
    List<Fault> nodeFaults() {
        List<Fault> faults = new ArrayList<>();
        for (NodeProcess node : nodes) {
            faults.add(Fault.of(
                    "kill", node.name(), Duration.ofMillis(200), Duration.ofMillis(1_500), node::kill, node::start));
            faults.add(Fault.of(
                    "freeze", node.name(), Duration.ofMillis(300), Duration.ofMillis(4_000), node::freeze, node::thaw));
        }
        return faults;
    }

    /** Clocks that are wrong for a while, and processes that sleep for longer than leases. */
    List<Fault> timeFaults() {
        List<Fault> faults = new ArrayList<>();
        for (NodeProcess node : nodes) {
            faults.add(Fault.of(
                    "clock-back-an-hour",
                    node.name(),
                    Duration.ofMillis(500),
                    Duration.ofMillis(3_000),
                    () -> node.setClock(Duration.ofHours(-1)),
                    () -> node.setClock(Duration.ZERO)));
            faults.add(Fault.of(
                    "sleep",
                    node.name(),
                    Duration.ofMillis(1_200),
                    Duration.ofMillis(3_000),
                    node::freeze,
                    node::thaw));
        }
        return faults;
    }

    /**
     * Runs it.
     *
     * @param calm how long the clients go on after the last fault
     * @param patience how long all nodes may then take to answer the same
     */
    Outcome run(Schedule schedule, Duration calm, Duration patience) throws Exception {
        awaitServing(Duration.ofSeconds(60));
        System.out.println("storm, replay with -Dterrace.seed=" + seed + "\n" + schedule);
        List<StormClient> clients = new ArrayList<>();
        for (int c = 0; c < CLIENTS; c++) {
            clients.add(new StormClient(c, nodes, workload, recorder, tally, acknowledged));
        }
        clients.forEach(StormClient::start);
        long calmNanos;
        long healedMillis;
        Nemesis nemesis = new Nemesis(schedule);
        try (nemesis) {
            nemesis.start();
            if (!nemesis.awaitEnd(lastMillis(schedule) + 120_000, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("the nemesis hangs: " + nemesis.log());
            }
            for (NodeProcess node : nodes) {
                node.awaitReady();
            }
            calmNanos = recorder.now();
            healedMillis = awaitServing(Duration.ofSeconds(60));
            // The clients go on for that long: there is nothing to wait for but the time.
            LockSupport.parkNanos(Math.max(0, calmNanos + calm.toNanos() - recorder.now()));
        } finally {
            clients.forEach(StormClient::stop);
        }
        long begin = System.nanoTime();
        Map<String, Map<String, Held>> reads = reads(workload.keys());
        while (!agree(reads) && System.nanoTime() - begin < patience.toNanos()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50)); // before other processes are asked once more
            reads = reads(workload.keys());
        }
        long agreedMillis = agree(reads) ? TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin) : -1;
        History history = recorder.history();
        List<String> bugs = new ArrayList<>();
        nodes.forEach(node -> bugs.addAll(node.bugs()));
        clients.stream().map(StormClient::failure).filter(Objects::nonNull).forEach(bugs::add);
        return new Outcome(
                history,
                calmNanos,
                reads(history.byKey().keySet()),
                schedule,
                nemesis.log(),
                nemesis.failures(),
                tally,
                healedMillis,
                agreedMillis,
                bugs);
    }

    private static long lastMillis(Schedule schedule) {
        return schedule.strikes().stream()
                .mapToLong(Schedule.Strike::endMillis)
                .max()
                .orElse(0);
    }

    private static boolean agree(Map<String, Map<String, Held>> byNode) {
        return byNode.values().stream()
                        .map(held -> held.entrySet().stream()
                                .map(entry ->
                                        entry.getKey() + "=" + entry.getValue().value())
                                .sorted()
                                .toList())
                        .distinct()
                        .count()
                == 1;
    }

    /** Waits until every node stores in the remote tier again; returns the milliseconds that took. */
    private long awaitServing(Duration patience) throws Exception {
        long begin = System.nanoTime();
        for (NodeProcess node : nodes) {
            for (int i = 0; !serves(node); i++) {
                if (System.nanoTime() - begin > patience.toNanos()) {
                    throw new IllegalStateException(node.name() + " does not serve:\n" + node.log());
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20)); // before another process is asked once more
            }
        }
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
    }

    private boolean serves(NodeProcess node) throws InterruptedException {
        try {
            for (String cache : workload.caches()) {
                String[] answer = node.ask(3_000, "put", cache, "probe " + node.name(), "1");
                if (!answer[1].equals("ok") || !answer[6].contains("L2") || !answer[6].contains(acknowledged)) {
                    return false;
                }
            }
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** What every node answers for {@code keys}, all nodes asked at once. */
    private Map<String, Map<String, Held>> reads(Collection<String> keys) throws Exception {
        ExecutorService askers = Executors.newFixedThreadPool(nodes.size());
        try {
            List<Future<Map<String, Held>>> answers = askers.invokeAll(nodes.stream()
                    .<Callable<Map<String, Held>>>map(node -> () -> reads(node, keys))
                    .toList());
            Map<String, Map<String, Held>> byNode = new HashMap<>();
            for (int n = 0; n < nodes.size(); n++) {
                byNode.put(nodes.get(n).name(), answers.get(n).get());
            }
            return byNode;
        } finally {
            askers.shutdownNow();
        }
    }

    private static Map<String, Held> reads(NodeProcess node, Collection<String> keys) throws Exception {
        Map<String, Held> byKey = new HashMap<>();
        Collection<String> wanted = keys;
        // A cache misses, too, when its remote tier does not answer in time: lost is what stays away.
        for (int round = 0; round < READ_ROUNDS && !wanted.isEmpty(); round++) {
            if (round > 0) {
                // Longer than a tier's timeout, and than a breaker takes to try again.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(700));
            }
            List<String> missed = new ArrayList<>();
            for (String key : wanted) {
                String[] answer = node.ask(5_000, "get", Workload.cacheOf(key), Workload.inCache(key));
                if (!StormClient.isKnown(answer) && round < READ_ROUNDS - 1) {
                    missed.add(key);
                    continue;
                }
                Held held = StormClient.held(answer);
                byKey.put(key, held);
                if (held.version() == null) {
                    missed.add(key);
                }
            }
            wanted = missed;
        }
        return byKey;
    }

    @Override
    public void close() {
        nodes.forEach(NodeProcess::close);
        servers.close();
    }
}
