package dev.terrace.node.storm;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.Gauge;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.CoherenceStatus;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Measures how long it takes until everything is as it was: the table of {@code docs/convergence.md}. Two nodes in this process,
 * three Redis servers, a link of its own between every node and every server. Not part of a normal build: {@code
 * -Dterrace.recovery=true}.
 */
@EnabledIfSystemProperty(named = "terrace.recovery", matches = "true")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 15, unit = TimeUnit.MINUTES)
@Tag("alone")
class RecoveryTimesIT {
    private static final int TIMES = Integer.getInteger("terrace.recovery.times", 5);
    private static final int ZONES = 3;
    private static final int NODES = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final Duration BOUND = Duration.ofMillis(500);

    private final Path folder = Path.of("target", "recovery");
    private final Map<String, List<Double>> table = new LinkedHashMap<>();

    @BeforeAll
    void makeFolder() throws Exception {
        Files.createDirectories(folder);
    }

    @AfterAll
    void print() throws Exception {
        StringBuilder text = new StringBuilder("| what | median ms | most ms | times |\n| --- | --- | --- | --- |\n");
        table.forEach((what, millis) -> {
            double[] sorted =
                    millis.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            text.append("| %s | %s | %s | %d |%n"
                    .formatted(
                            what,
                            rounded(sorted[(sorted.length - 1) / 2]),
                            rounded(sorted[sorted.length - 1]),
                            sorted.length));
        });
        Files.writeString(folder.resolve("recovery.md"), text);
        System.out.println(text);
    }

    private static String rounded(double millis) {
        return millis < 10 ? "%.1f".formatted(millis) : Long.toString(Math.round(millis));
    }

    private void note(String what, double millis) {
        table.computeIfAbsent(what, first -> new ArrayList<>()).add(millis);
    }

    /** Something that is so or not yet. */
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static double until(Condition condition) throws Exception {
        return since(System.nanoTime(), condition);
    }

    private static double since(long begin, Condition condition) throws Exception {
        while (!condition.holds()) {
            assertThat(System.nanoTime() - begin).as("nanoseconds waited").isLessThan(PATIENCE.toNanos());
            // What is measured must not be slowed by whoever looks for it.
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(500));
        }
        return millisSince(begin);
    }

    private static double millisSince(long begin) {
        return (System.nanoTime() - begin) / 1e6;
    }

    /** Servers and nodes. */
    private final class Fleet implements AutoCloseable {
        final Zones zones;
        final List<CacheCoordinator> nodes = new ArrayList<>();

        Fleet(int zoneCount, String more) throws Exception {
            zones = new Zones(RedisProcess.preferredBinary("RecoveryTimesIT"), zoneCount, NODES);
            int[] ports =
                    IntStream.range(0, NODES).map(n -> RedisProcess.freePort()).toArray();
            for (int n = 0; n < NODES; n++) {
                int node = n;
                String list = IntStream.range(0, zoneCount)
                        .mapToObj(zone -> "{name: %s, nodes: [\"%s\"], topology: standalone}"
                                .formatted(Zones.name(zone), zones.address(zone, node)))
                        .collect(Collectors.joining(", "));
                Path file = folder.resolve("node-" + n + ".yaml");
                Files.writeString(file, """
                        distributed_cache:
                          local_cache: {enabled: true, capacity: 100000, max_memory_mb: 64, ttl: "1h"}
                          distributed_cache: {enabled: true, zones: [%s], replication_factor: %d, ttl: "1h",
                                              key_prefix: "%s"}
                          circuit_breaker: {reset_timeout: "1s"}
                          backplane: {enabled: true, lease: "%dms"%s}
                          caches:
                            accounts: {replication: quorum}
                            bounded: {replication: quorum, consistency: bounded, staleness_bound: "%dms"}
                            strict: {replication: quorum, consistency: strict}
                        """.formatted(
                                list,
                                zoneCount,
                                Servers.KEY_PREFIX,
                                LEASE.toMillis(),
                                more.formatted(
                                        ports[n],
                                        Arrays.stream(ports)
                                                .mapToObj(port -> "\"127.0.0.1:" + port + "\"")
                                                .collect(Collectors.joining(", "))),
                                BOUND.toMillis()));
                nodes.add(CacheCoordinator.open(
                        SettingsLoader.read(file, Map.of()).settings()));
            }
            for (int n = 0; n < NODES; n++) {
                int node = n;
                until(() -> stored(cache(node, "accounts"), "first"));
                until(() -> stored(cache(node, "strict"), "first"));
                until(() -> trusts(node));
            }
        }

        Cache<String, String> cache(int node, String name) {
            return nodes.get(node).cache(name, Codecs.stringKey(), Codecs.string());
        }

        boolean trusts(int node) {
            CoherenceStatus status = nodes.get(node).coherence();
            return status != null && status.trusted();
        }

        Object gauge(String name) {
            Gauge<?> gauge = nodes.get(0).metrics().getGauges().get("replication.zone." + name);
            return gauge == null ? "" : gauge.getValue();
        }

        boolean allVote() {
            return IntStream.range(0, zones.count())
                    .allMatch(zone -> "MEMBER".equals(gauge(Zones.name(zone) + ".standing")));
        }

        void cut(int node) {
            for (int zone = 0; zone < zones.count(); zone++) {
                zones.link(zone, node).mode(TcpProxy.Mode.LOSE_ALL);
            }
        }

        void mend(int node) {
            for (int zone = 0; zone < zones.count(); zone++) {
                zones.link(zone, node).heal();
            }
        }

        @Override
        public void close() {
            nodes.forEach(CacheCoordinator::close);
            zones.close();
        }
    }

    private static void awaitCopy(Cache<String, String> cache, String value) throws Exception {
        until(() -> {
            ReadResult<String> read = cache.read("k");
            return read.source() == Source.L1 && value.equals(read.value());
        });
    }

    private static boolean stored(Cache<String, String> cache, String key) {
        try {
            return cache.put(key, "v").missed().isEmpty();
        } catch (UnavailableException notYet) {
            return false;
        }
    }

    private static void load(Cache<String, String> cache, int entries) {
        String value = "x".repeat(100);
        for (int from = 0; from < entries; from += 500) {
            Map<String, String> batch = new LinkedHashMap<>();
            for (int i = from; i < from + 500; i++) {
                batch.put("loaded-" + i, value);
            }
            cache.putAll(batch);
        }
    }

    /** The longest put while something happens, and how many failed. */
    private double longestPut(Cache<String, String> cache, AtomicBoolean going, int[] failed) {
        double longest = 0;
        for (int i = 0; going.get(); i++) {
            long begin = System.nanoTime();
            if (!stored(cache, "k" + i % 200)) {
                failed[0]++;
            }
            longest = Math.max(longest, millisSince(begin));
        }
        return longest;
    }

    private void disturb(Fleet fleet, String what, Runnable fault) throws Exception {
        AtomicBoolean going = new AtomicBoolean(true);
        int[] failed = {0};
        FutureTask<Double> longest = new FutureTask<>(() -> longestPut(fleet.cache(0, "accounts"), going, failed));
        new Thread(longest, "writer").start();
        // Before and after, to see what is usual.
        TimeUnit.MILLISECONDS.sleep(500);
        fault.run();
        TimeUnit.MILLISECONDS.sleep(2_500);
        going.set(false);
        note(what + ": longest QUORUM put meanwhile", longest.get(1, TimeUnit.MINUTES));
        note(what + ": failed puts (a number)", failed[0]);
    }

    @Test
    void zones() throws Exception {
        try (Fleet fleet = new Fleet(ZONES, "")) {
            RedisProcess server = fleet.zones.server(0);
            for (int i = 0; i < TIMES; i++) {
                disturb(fleet, "zone killed", server::kill);
                server.restart();
                note("zone restarted with its file, few entries: votes again", until(fleet::allVote));
                disturb(fleet, "zone frozen", server::freeze);
                server.thaw();
                note("zone thawed: votes again", until(fleet::allVote));
            }
            for (int entries : new int[] {10_000, 30_000}) {
                load(fleet.cache(0, "accounts"), entries);
                for (int i = 0; i < TIMES; i++) {
                    server.restartEmpty();
                    double seen = until(() -> !fleet.allVote());
                    note(
                            "zone restarted empty, " + entries + " entries: filled by the others, votes again",
                            seen + until(fleet::allVote));
                    server.kill();
                    server.restart();
                    seen = until(() -> !fleet.allVote());
                    note(
                            "zone restarted with its file, " + entries
                                    + " entries: compared with the others, votes again",
                            seen + until(fleet::allVote));
                }
            }
        }
    }

    @Test
    void partitions() throws Exception {
        try (Fleet fleet = new Fleet(ZONES, "")) {
            Cache<String, String> accounts = fleet.cache(0, "accounts");
            for (int i = 0; i < TIMES; i++) {
                TcpProxy link = fleet.zones.link(2, 0);
                link.mode(TcpProxy.Mode.LOSE_ALL);
                for (int key = 0; key < 1_000; key++) {
                    accounts.put("hinted-" + key, "v" + i);
                }
                until(() -> fleet.gauge("zone-3.hints.pending") instanceof Integer pending && pending >= 900);
                link.heal();
                note(
                        "node cut off from one zone of three, 1,000 keys written: all hints handed over",
                        until(() -> Integer.valueOf(0).equals(fleet.gauge("zone-3.hints.pending"))));
                until(fleet::allVote);

                fleet.zones.link(1, 0).mode(TcpProxy.Mode.LOSE_ALL);
                link.mode(TcpProxy.Mode.LOSE_ALL);
                long begin = System.nanoTime();
                assertThat(stored(accounts, "k")).isFalse();
                note("node cut off from two zones of three: a QUORUM put is refused", millisSince(begin));
                fleet.mend(0);
                note("links mended: QUORUM puts again", until(() -> stored(accounts, "k")));
                until(fleet::allVote);
            }
        }
    }

    @Test
    void copies() throws Exception {
        try (Fleet fleet = new Fleet(ZONES, "")) {
            Cache<String, String> mine = fleet.cache(0, "bounded");
            Cache<String, String> theirs = fleet.cache(1, "bounded");
            Cache<String, String> strict = fleet.cache(0, "strict");
            for (int i = 0; i < TIMES; i++) {
                String value = "v" + i;
                mine.put("k", "old " + i);
                awaitCopy(theirs, "old " + i);
                mine.put("k", value);
                note("nothing wrong: another node answers what was put", until(() -> value.equals(theirs.get("k"))));
                awaitCopy(theirs, value);

                fleet.cut(1);
                note(
                        "node cut off from all logs, bound " + BOUND.toMillis() + " ms: trusts no copy any more",
                        until(() -> !fleet.trusts(1)));
                long begin = System.nanoTime();
                assertThat(stored(strict, "s")).isTrue();
                note("another node lost, lease " + LEASE.toMillis() + " ms: first strict put", millisSince(begin));
                begin = System.nanoTime();
                assertThat(stored(strict, "s")).isTrue();
                note("another node lost: next strict put", millisSince(begin));
                fleet.mend(1);
                note("links to all logs mended: trusts copies again", until(() -> fleet.trusts(1)));
                until(() -> value.equals(theirs.get("k")));

                String stream = "{" + Servers.KEY_PREFIX + "~log}";
                long gaps = gaps(fleet);
                begin = System.nanoTime();
                for (int zone = 0; zone < ZONES; zone++) {
                    fleet.zones.server(zone).command("DEL", stream, stream + "~head");
                }
                note("all logs deleted: gap noticed", since(begin, () -> gaps(fleet) > gaps));
                note("all logs deleted: copies dropped, trusted again", since(begin, () -> fleet.trusts(1)));
                until(() -> fleet.trusts(0));
            }
        }
    }

    private static long gaps(Fleet fleet) {
        return fleet.nodes.get(1).metrics().counter("coherence.gaps").getCount();
    }

    @Test
    void theSecondPath() throws Exception {
        String group = ", group: {enabled: true, bind: \"127.0.0.1\", port: %d, members: [%s]}";
        try (Fleet fleet = new Fleet(1, group)) {
            Cache<String, String> mine = fleet.cache(0, "quotes");
            Cache<String, String> theirs = fleet.cache(1, "quotes");
            RedisProcess redis = fleet.zones.server(0);
            // Both nodes have found each other when a notice arrives twice.
            until(() -> {
                mine.put("warm", "up");
                return fleet.nodes
                                .get(1)
                                .metrics()
                                .counter("coherence.notices.heard")
                                .getCount()
                        > 20;
            });
            for (int i = 0; i < TIMES; i++) {
                mine.put("k", "old " + i);
                awaitCopy(theirs, "old " + i);
                redis.freeze();
                long applied = applied(fleet);
                long begin = System.nanoTime();
                mine.put("k", "new " + i);
                note("log and L2 frozen: an eventual put returns", millisSince(begin));
                note(
                        "log and L2 frozen: its notice has reached the other node over the group, from the call on",
                        since(begin, () -> applied(fleet) > applied));
                until(() -> !fleet.trusts(0) && !fleet.trusts(1));
                redis.thaw();
                begin = System.nanoTime();
                String value = "new " + i;
                note(
                        "log and L2 thawed: both nodes answer what was put",
                        since(begin, () -> value.equals(theirs.get("k"))));
                note(
                        "log and L2 thawed: both trust copies again",
                        since(begin, () -> fleet.trusts(0) && fleet.trusts(1)));
            }
        }
    }

    private static long applied(Fleet fleet) {
        return fleet.nodes.get(1).metrics().counter("coherence.notices.applied").getCount();
    }
}
