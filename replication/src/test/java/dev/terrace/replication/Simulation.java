package dev.terrace.replication;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.replication.ReplicatedTier.Setup;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import dev.terrace.testkit.history.CheckLimits;
import dev.terrace.testkit.history.History;
import dev.terrace.testkit.history.HistoryRecorder;
import dev.terrace.testkit.history.LinearizabilityChecker;
import dev.terrace.testkit.history.Observed;
import dev.terrace.testkit.history.Op;
import dev.terrace.testkit.history.Pending;
import dev.terrace.testkit.history.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Nodes and zones on virtual time, under faults that one seed decides: which kinds happen at all, how often, to whom, when. Same
 * seed, same run.
 */
final class Simulation {
    private static final long FAULTS_UNTIL_MILLIS = 1_200;
    private static final long CALM_MILLIS = 4_000;
    private static final long TTL_MILLIS = 60_000;

    private final VirtualTime time = new VirtualTime();
    private final SplittableRandom random;
    private final Set<Mutation> mutations;
    private final List<SimZone> zones = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final HistoryRecorder history = new HistoryRecorder(time::nanos);
    private final int keys;
    private final int conditionalPercent;
    private final long timeoutMillis;
    private final long examineMillis;
    private int values;
    private int tokens;
    private boolean calm;

    /** Faults of this run, each happening about every so many milliseconds; 0 for never. */
    private final Map<String, Integer> faults = new HashMap<>();

    /** What came out of a run. */
    record Outcome(History history, Verdict verdict, boolean converged, long mayBeLost, String zones) {
        boolean isFine() {
            return (verdict.holds() || mayBeLost > 0) && converged;
        }
    }

    Simulation(long seed, Set<Mutation> mutations, Set<Weakness> weaknesses) {
        this.random = new SplittableRandom(seed);
        this.mutations = mutations;
        int zoneCount = random.nextInt(4) == 0 ? 5 : 3;
        int nodeCount = 2 + random.nextInt(2);
        this.keys = 1 + random.nextInt(2);
        this.conditionalPercent = random.nextInt(3) == 0 ? 0 : random.nextInt(60);
        this.timeoutMillis = random.nextBoolean() ? 40 : 120;
        this.examineMillis = 10 + random.nextInt(90);
        for (String fault : List.of("pause", "restart", "empty", "rollback", "partition", "oneway", "slow", "sleep")) {
            // Swarm: most runs have few kinds, often.
            faults.put(fault, random.nextInt(3) == 0 ? 100 + random.nextInt(500) : 0);
        }
        double loss = random.nextInt(3) == 0 ? random.nextDouble() * 0.05 : 0;
        long longestMicros = 200 + random.nextLong(6_000);
        long skew = random.nextInt(2) == 0 ? 0 : random.nextLong(1_000);
        for (int i = 0; i < zoneCount; i++) {
            zones.add(new SimZone("z" + i, time, 0, weaknesses));
        }
        for (int i = 0; i < nodeCount; i++) {
            nodes.add(new Node(i, zoneCount, skew == 0 ? 0 : random.nextLong(2 * skew) - skew, loss, longestMicros));
        }
    }

    /** A node and its clients of all zones. */
    private final class Node {
        final String name;
        final long skewMillis;
        final HybridClock clock;
        final ReplicatedTier tier;
        final MetricRegistry metrics = new MetricRegistry();
        final List<SimLink> links = new ArrayList<>();
        final Map<String, Entry> seen = new HashMap<>();

        Node(int number, int zoneCount, long skewMillis, double loss, long longestMicros) {
            this.name = "n" + number;
            this.skewMillis = skewMillis;
            this.clock = new HybridClock(
                    () -> java.time.Instant.ofEpochMilli(1_000_000 + time.millis() + skewMillis),
                    number + 1,
                    Duration.ofSeconds(60));
            List<SimReplica> replicas = new ArrayList<>();
            for (int i = 0; i < zoneCount; i++) {
                SimLink link = new SimLink(time, random.split(), zones.get(i), loss, longestMicros);
                links.add(link);
                replicas.add(new SimReplica(zones.get(i), link, time, timeoutMillis, skewMillis));
            }
            Setup setup = new Setup(
                    zoneCount, ReplicationMode.QUORUM, Map.of(), 5 * timeoutMillis, 1_000, 20_000, examineMillis);
            this.tier = new ReplicatedTier(replicas, setup, clock, time, metrics, () -> "t" + tokens++, mutations);
        }
    }

    Outcome run() {
        time.runUntil(300);
        nodes.forEach(node -> {
            for (int client = 0; client < 2; client++) {
                act(node, node.name + "c" + client, random.split());
            }
        });
        faults.forEach((fault, every) -> {
            if (every > 0) {
                next(fault, every, random.split());
            }
        });
        time.afterNanos(100_000_000, this::save);
        time.runUntil(300 + FAULTS_UNTIL_MILLIS);
        calm = true;
        nodes.forEach(node -> node.links.forEach(SimLink::calm));
        time.runUntil(300 + FAULTS_UNTIL_MILLIS + CALM_MILLIS);
        nodes.forEach(node -> node.tier.close());
        History all = history.history();
        Verdict verdict = new LinearizabilityChecker(new CheckLimits(Duration.ofSeconds(20), 128L << 20)).check(all);
        return new Outcome(all, verdict, converged(), mayBeLost(), describe());
    }

    private long mayBeLost() {
        return nodes.stream()
                .mapToLong(node ->
                        node.metrics.counter("replication.data_may_be_lost").getCount())
                .sum();
    }

    /** After the storm every zone votes. */
    private boolean converged() {
        for (SimZone zone : zones) {
            if (zone.standing() != dev.terrace.spi.Replica.Standing.MEMBER) {
                return false;
            }
        }
        return true;
    }

    private String describe() {
        StringBuilder text = new StringBuilder("faults " + faults + ", " + nodes.size() + " nodes\n");
        zones.forEach(zone -> text.append(zone.name)
                .append(' ')
                .append(zone.standing())
                .append(' ')
                .append(zone.contents())
                .append('\n'));
        return text.toString();
    }

    private void save() {
        zones.get(random.nextInt(zones.size())).save();
        if (!calm) {
            time.afterNanos(1_000_000L * (50 + random.nextInt(400)), this::save);
        }
    }

    private void next(String fault, int every, SplittableRandom own) {
        time.afterNanos(1_000_000L * (20 + own.nextInt(2 * every)), () -> {
            if (!calm) {
                strike(fault, own);
                next(fault, every, own);
            }
        });
    }

    private void strike(String fault, SplittableRandom own) {
        int victim = own.nextInt(zones.size());
        SimZone zone = zones.get(victim);
        SimLink link = nodes.get(own.nextInt(nodes.size())).links.get(victim);
        long until = 1_000_000L * (10 + own.nextInt(400));
        switch (fault) {
            case "pause" -> {
                zone.down = true;
                time.afterNanos(until, () -> zone.down = false);
            }
            case "restart" -> down(zone, until, zone::restart);
            case "empty" -> down(zone, until, zone::restartEmpty);
            case "rollback" -> down(zone, until, zone::restartRolledBack);
            case "partition" -> {
                link.requestsCut = true;
                link.answersCut = true;
                time.afterNanos(until, () -> {
                    link.requestsCut = false;
                    link.answersCut = false;
                });
            }
            case "oneway" -> {
                link.answersCut = true;
                time.afterNanos(until, () -> link.answersCut = false);
            }
            case "sleep" -> {
                long wake = time.nanos() + until;
                nodes.get(own.nextInt(nodes.size())).links.forEach(each -> each.asleepUntilNanos = wake);
            }
            default -> {
                link.slow = true;
                time.afterNanos(until, () -> link.slow = false);
            }
        }
    }

    private void down(SimZone zone, long nanos, Runnable restart) {
        if (!zone.down) {
            zone.down = true;
            // Half of the time faster than anybody could notice.
            time.afterNanos(random.nextBoolean() ? 1_000_000 : nanos, restart);
        }
    }

    private void act(Node node, String client, SplittableRandom own) {
        if (calm && time.millis() > 300 + FAULTS_UNTIL_MILLIS + CALM_MILLIS - 1_000) {
            return;
        }
        long thinking = 1_000_000L * (calm ? 400 + own.nextInt(400) : own.nextInt(40));
        time.afterNanos(thinking, () -> {
            CacheKey key = CacheKey.of("c", "k" + own.nextInt(keys));
            int choice = own.nextInt(100);
            if (choice < conditionalPercent) {
                change(node, client, key, own);
            } else if (own.nextInt(100) < 45) {
                write(node, client, key, own);
            } else {
                read(node, client, key, own);
            }
        });
    }

    private void read(Node node, String client, CacheKey key, SplittableRandom own) {
        Pending pending = history.begin(client, node.name, Op.get(key.toString()));
        node.tier.read(key, ReplicationMode.QUORUM).thenAccept(found -> {
            if (found instanceof Lookup.Hit hit) {
                if (hit.entry().isValue()) {
                    node.seen.put(key.toString(), hit.entry());
                } else {
                    node.seen.remove(key.toString());
                }
                // Without the version, which may be renewed when writes collide.
                pending.ok(text(hit.entry()), null);
            } else if (found instanceof Lookup.Miss) {
                node.seen.remove(key.toString());
                pending.ok(null, null);
            } else {
                pending.fail();
            }
            act(node, client, own);
        });
    }

    private static @Nullable String text(Entry entry) {
        return entry.isValue() ? new String(entry.payload(), StandardCharsets.UTF_8) : null;
    }

    private Entry entry(Node node, CacheKey key, Version version, @Nullable String value) {
        long now = node.clock.millis();
        return new Entry(
                key,
                value == null ? EntryKind.TOMBSTONE : EntryKind.VALUE,
                version,
                now,
                now + TTL_MILLIS,
                now + TTL_MILLIS,
                List.of(),
                value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8));
    }

    private void write(Node node, String client, CacheKey key, SplittableRandom own) {
        String value = own.nextInt(6) == 0 ? null : "v" + values++;
        Op op = value == null ? Op.invalidate(key.toString()) : Op.put(key.toString(), value);
        Pending pending = history.begin(client, node.name, op);
        node.tier
                .write(key, version -> entry(node, key, version, value), ReplicationMode.QUORUM)
                .thenAccept(receipt -> {
                    end(pending, receipt);
                    act(node, client, own);
                });
    }

    private static void end(Pending pending, Replicated receipt) {
        switch (receipt.outcome()) {
            case ACKNOWLEDGED -> pending.ok(receipt.version());
            case REFUSED -> pending.ok(Observed.REFUSED);
            case FAILED -> pending.fail();
            case UNKNOWN -> pending.unknown();
        }
    }

    private void change(Node node, String client, CacheKey key, SplittableRandom own) {
        String value = "v" + values++;
        Entry expected = own.nextInt(3) == 0 ? null : node.seen.get(key.toString());
        Op op = expected == null
                ? Op.putIfAbsent(key.toString(), value)
                : Op.compareAndSet(key.toString(), text(expected), value);
        Pending pending = history.begin(client, node.name, op);
        node.tier
                .change(key, (held, version) -> {
                    boolean holds = expected == null
                            ? held == null || !held.isValue()
                            : held != null && held.isValue() && held.version().equals(expected.version());
                    return holds ? entry(node, key, version, value) : null;
                })
                .thenAccept(receipt -> {
                    if (expected != null && receipt.outcome() == Replicated.Outcome.REFUSED) {
                        // The version may have been renewed: a refusal says nothing about the value.
                        pending.fail();
                    } else {
                        end(pending, receipt);
                    }
                    act(node, client, own);
                });
    }
}
