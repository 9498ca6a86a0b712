package dev.terrace.node.storm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.testkit.history.CheckLimits;
import dev.terrace.testkit.history.DurabilityChecker;
import dev.terrace.testkit.history.History;
import dev.terrace.testkit.history.HistoryReport;
import dev.terrace.testkit.history.StalenessChecker;
import dev.terrace.testkit.nemesis.Fault;
import dev.terrace.testkit.nemesis.Schedule;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Real servers and nodes under a random nemesis. {@code -Dterrace.seed} replays a schedule (not the interleaving: that is the
 * machine's); {@code -Dterrace.storm.seconds} or the profile {@code soak} make it long.
 */
@Tag("alone")
class StormIT {
    private static final long SEED = Long.getLong("terrace.seed", new Random().nextLong() >>> 16);
    private static final Duration LENGTH = Duration.ofSeconds(Integer.getInteger("terrace.storm.seconds", 10));
    private static final Duration CALM = Duration.ofSeconds(7);
    private static final Duration CONVERGED = Duration.ofSeconds(5);
    private static final Duration RELEARNT = Duration.ofSeconds(5);
    private static final Duration BOUND = Duration.ofMillis(400);

    /** Of what is only looked at: a counter-example that nobody asked for need not be small. */
    private static final CheckLimits GLANCE = new CheckLimits(Duration.ofSeconds(3), 256L << 20);

    private static final Duration CLOCK_ERROR = Duration.ofMillis(20);
    private static final int NODES = 3;
    private static final String THREE_COPIES = "replication_factor: 3, consistency_level: quorum";

    private final StalenessChecker staleness = new StalenessChecker();

    private static String settings(String addresses, String more) {
        return settingsOver("cluster_nodes: [" + addresses + "]", more);
    }

    private static String settingsOver(String servers, String more) {
        return """
                distributed_cache:
                  local_cache: {enabled: true, capacity: 1000, max_memory_mb: 8, ttl: "1s"}
                  distributed_cache: {enabled: true, backend: redis, %s, %s,
                                      ttl: "30m", timeout: "500ms", connect_timeout: "500ms", pool_size: 8, key_prefix: "%s"}
                  backup_storage: {enabled: false}
                  circuit_breaker: {reset_timeout: "1s"}
                  backplane: {enabled: false}
                """.formatted(servers, more, Servers.KEY_PREFIX);
    }

    /** One Redis and no coherence between nodes: after the storm everybody agrees and nothing acknowledged is lost. */
    @Test
    @Timeout(value = 12, unit = TimeUnit.HOURS)
    void oneRedisConvergesAndLosesNothing() throws Exception {
        Zones zones = zones(1);
        try (Storm storm = storm(
                "one-redis",
                zones,
                StormNode.class,
                new Workload(SEED, true),
                node -> settings("\"" + zones.address(0, node) + "\"", "topology: standalone"))) {
            Storm.Outcome outcome = run(storm, anyFaults(storm), 700);
            finish(report("one Redis, EVENTUAL", storm, outcome), outcome, storm);
        }
    }

    /**
     * A Redis Cluster whose shards have two servers, and writes that wait for both: nothing acknowledged is lost to the loss of
     * one server at a time, to switch-overs and to slots that move.
     */
    @Test
    @Tag("F07")
    @Tag("F08")
    @Tag("F09")
    @Timeout(value = 12, unit = TimeUnit.HOURS)
    void aClusterWithSyncWritesConvergesAndLosesNothing() throws Exception {
        ClusterServers cluster = new ClusterServers(SEED);
        try (Storm storm = storm(
                "cluster",
                cluster,
                StormNode.class,
                new Workload(SEED, false),
                node -> settings(
                        cluster.addresses(), "topology: cluster, replication_factor: 2, consistency_level: sync"))) {
            Storm.Outcome outcome = run(storm, anyFaults(storm), 700);
            finish(report("Redis Cluster 3 + 3, SYNC, EVENTUAL", storm, outcome), outcome, storm);
        }
    }

    /**
     * Five zones, three copies, QUORUM, three processes: every key is one register, whatever zone dies, freezes, is cut off or
     * forgets, one after the other.
     */
    @Test
    @Tag("F01")
    @Tag("F02")
    @Tag("F03")
    @Tag("F04")
    @Tag("F06")
    @Tag("F13")
    @Tag("F14")
    @Timeout(value = 12, unit = TimeUnit.HOURS)
    void quorumOverFiveZonesIsOneRegisterPerKey() throws Exception {
        Zones zones = zones(5);
        try (Storm storm = storm(
                "quorum",
                zones,
                RegisterNode.class,
                new Workload(SEED, true),
                node -> settingsOver(all(zones, node), THREE_COPIES))) {
            List<Fault> faults = zoneFaults(zones);
            faults.addAll(storm.nodeFaults());
            Storm.Outcome outcome = run(storm, faults, 500);
            HistoryReport report = report("five zones, 3 copies, QUORUM", storm, outcome)
                    .verdict(
                            "every key is one register",
                            HistoryReport.linearizable(outcome.history().withoutVersions(), CheckLimits.DEFAULT))
                    // A refused conditional write may store what refused it again, under a version of its own.
                    .observation("every write keeps its version", HistoryReport.linearizable(outcome.history(), GLANCE))
                    .verdict("strict", staleness.strict(outcome.history()));
            finish(report, outcome, storm);
        }
    }

    private static List<Fault> zoneFaults(Zones zones) {
        List<Fault> faults = new ArrayList<>();
        // A server that is killed has forgotten its place, too: one at a time, and time to learn again.
        zones.faults().stream()
                .map(fault -> fault.name().equals("kill") ? fault.in("amnesia", RELEARNT) : fault)
                .forEach(faults::add);
        for (int i = 0; i < 4; i++) {
            faults.addAll(zones.amnesias(RELEARNT));
        }
        return faults;
    }

    /**
     * The same with whole nodes: a cache that is read by a majority is a register per key; caches that are read through local copies are as
     * fresh as their class promises.
     */
    @Test
    @Tag("F01")
    @Tag("F02")
    @Tag("F03")
    @Tag("F04")
    @Tag("F06")
    @Tag("F13")
    @Tag("F14")
    @Tag("F17")
    @Tag("F26")
    @Tag("F27")
    @Tag("F30")
    @Timeout(value = 12, unit = TimeUnit.HOURS)
    void wholeNodesOverFiveZonesKeepWhatEachClassPromises() throws Exception {
        Zones zones = zones(5);
        try (Storm storm = storm(
                "nodes",
                zones,
                StormNode.class,
                new Workload(SEED, false, 70, List.of(StormNode.REGISTER, "bounded", "strict")),
                node -> coherent(all(zones, node), THREE_COPIES))) {
            storm.onlyAnnouncedCounts();
            List<Fault> faults = zoneFaults(zones);
            faults.addAll(zones.logFaults());
            for (int i = 0; i < 3; i++) {
                faults.addAll(storm.nodeFaults());
                faults.addAll(storm.timeFaults());
            }
            Storm.Outcome outcome = run(storm, faults, 500);
            History registers = Workload.of(outcome.history(), StormNode.REGISTER);
            HistoryReport report = ofClasses(report("nodes over five zones, 3 copies, QUORUM", storm, outcome), outcome)
                    .verdict(
                            "every key read by a majority is one register",
                            HistoryReport.linearizable(registers.withoutVersions(), CheckLimits.DEFAULT));
            finish(report, outcome, storm);
        }
    }

    /** The zones as {@code node} reaches them, in a settings file's form. */
    private static String all(Zones zones, int node) {
        String list = IntStream.range(0, zones.count())
                .mapToObj(zone -> "{name: %s, nodes: [\"%s\"], topology: standalone}"
                        .formatted(Zones.name(zone), zones.address(zone, node)))
                .collect(Collectors.joining(", "));
        return "zones: [" + list + "]";
    }

    /**
     * Three classes over one Redis and its log: a bounded copy is never answered as fresh longer than its bound after it was
     * replaced; a strict one never after the write has returned; whatever is cut, sleeps longer than its lease, loses its log, or has its clock set
     * back by an hour.
     */
    @Test
    @Tag("F17")
    @Tag("F26")
    @Tag("F27")
    @Tag("F30")
    @Tag("F34")
    @Tag("F77")
    @Timeout(value = 12, unit = TimeUnit.HOURS)
    void copiesAreAsFreshAsTheirClassPromises() throws Exception {
        Zones zones = zones(1);
        try (Storm storm = storm(
                "coherence",
                zones,
                StormNode.class,
                new Workload(SEED, false, 85, List.of("eventual", "bounded", "strict")),
                node -> coherent(
                        "cluster_nodes: [\"%s\"]".formatted(zones.address(0, node)), "topology: standalone"))) {
            storm.onlyAnnouncedCounts();
            List<Fault> faults = anyFaults(storm);
            for (int i = 0; i < 3; i++) {
                faults.addAll(zones.logFaults());
            }
            faults.addAll(storm.timeFaults());
            faults.addAll(storm.timeFaults());
            Storm.Outcome outcome = run(storm, faults, 500);
            finish(ofClasses(report("one Redis and its log, three classes", storm, outcome), outcome), outcome, storm);
        }
    }

    private static String coherent(String servers, String more) {
        return """
                distributed_cache:
                  local_cache: {enabled: true, capacity: 1000, max_memory_mb: 8, ttl: "1h"}
                  distributed_cache: {enabled: true, backend: redis, %s, %s,
                                      ttl: "3h", timeout: "500ms", connect_timeout: "500ms", pool_size: 8, key_prefix: "%s"}
                  backup_storage: {enabled: false}
                  circuit_breaker: {reset_timeout: "1s"}
                  backplane: {enabled: true, lease: "1s"}
                  caches:
                    bounded: {consistency: bounded, staleness_bound: "%dms"}
                    strict: {consistency: strict}
                """.formatted(servers, more, Servers.KEY_PREFIX, BOUND.toMillis());
    }

    /** What each class promises, of histories whose keys begin with it. */
    private HistoryReport ofClasses(HistoryReport report, Storm.Outcome outcome) {
        History bounded = Workload.of(outcome.history(), "bounded");
        History strict = Workload.of(outcome.history(), "strict");
        return report.verdict("bounded: at most " + BOUND, staleness.bounded(bounded, BOUND, CLOCK_ERROR))
                .verdict("strict: never", staleness.strict(strict))
                .verdict("bounded: nodes never go back", staleness.monotonicReadsPerNode(bounded))
                .verdict("strict: nodes never go back", staleness.monotonicReadsPerNode(strict))
                .observation("bounded copies are strict", staleness.strict(bounded));
    }

    /** The harness itself: a server that forgets once, unseen by any health check, is found out. */
    @Test
    void aServerThatForgotIsFoundOut() throws Exception {
        Zones zones = zones(1);
        try (Storm storm = storm(
                "forgetful",
                zones,
                StormNode.class,
                new Workload(SEED, false),
                node -> settings("\"" + zones.address(0, node) + "\"", "topology: standalone"))) {
            Schedule once = new Schedule(
                    SEED,
                    List.of(new Schedule.Strike(zones.amnesias(Duration.ZERO).get(0), 2_000, 2_000)));
            Storm.Outcome outcome = storm.run(once, Duration.ofSeconds(3), CONVERGED);
            HistoryReport report =
                    report("one Redis that forgets", storm, outcome).writeTo(storm.folder());
            assertThat(report.complaint())
                    .contains("restart-empty zone-1")
                    .contains("key 'storm/once-")
                    .contains("it holds absent; 1 acknowledged and newer write is lost");
        }
    }

    private static Zones zones(int count) throws Exception {
        return new Zones(RedisProcess.preferredBinary("StormIT"), count, NODES);
    }

    private static Storm storm(
            String name, Servers servers, Class<?> node, Workload workload, Storm.SettingsOf settings)
            throws Exception {
        Path folder = Path.of("target", "storm", name + "-" + SEED);
        return new Storm(folder, servers, node, NODES, workload, SEED, settings);
    }

    /** What can befall servers and nodes. */
    private static List<Fault> anyFaults(Storm storm) {
        List<Fault> faults = new ArrayList<>(storm.servers().faults());
        faults.addAll(storm.nodeFaults());
        return faults;
    }

    private static Storm.Outcome run(Storm storm, List<Fault> faults, int gapMillis) throws Exception {
        return storm.run(Schedule.draw(SEED, faults, LENGTH, Duration.ofMillis(gapMillis), 2), CALM, CONVERGED);
    }

    /** What holds for every topology. */
    private HistoryReport report(String title, Storm storm, Storm.Outcome outcome) {
        HistoryReport report = new HistoryReport(title, outcome.history())
                .fact("seed", SEED)
                .fact("redis", storm.servers().description())
                .fact("nodes", storm.nodes().size())
                .fact("nemesis seconds", LENGTH.toSeconds())
                .fact("all nodes store again, ms after the last fault", outcome.healedMillis())
                .fact("all nodes answer the same, ms after the last operation", outcome.agreedMillis())
                .fact("latency of answers", outcome.tally().latencies())
                .fact("answers", outcome.tally().counts())
                .fact("schedule", outcome.schedule())
                .fact("nemesis", "\n  " + String.join("\n  ", outcome.nemesisLog()))
                .verdict(
                        "everybody agrees " + CONVERGED + " after the last fault",
                        staleness.eventual(outcome.history(), CONVERGED, outcome.calmNanos()))
                .verdict("sessions read their writes", staleness.readYourWrites(outcome.history()))
                // Without coherence a late answer may pass an own write, and a missed one may shadow a newer one.
                .observation("nodes never go back", staleness.monotonicReadsPerNode(outcome.history()));
        outcome.finalReads()
                .forEach((node, held) -> report.verdict(
                        "nothing acknowledged is lost, asked at " + node,
                        new DurabilityChecker().check(outcome.history(), held)));
        return report;
    }

    private static void finish(HistoryReport report, Storm.Outcome outcome, Storm storm) {
        report.writeTo(storm.folder());
        System.out.println(report.text());
        assertThat(outcome.nemesisFailures()).isEmpty();
        assertThat(outcome.bugs()).isEmpty();
        assertThat(outcome.agreedMillis()).as("all nodes answer the same").isNotNegative();
        assertThat(outcome.history().size()).as("enough happened").isGreaterThan(1_000);
        report.require();
    }
}
