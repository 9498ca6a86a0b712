package dev.terrace.replication;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.replication.ReplicatedTier.Setup;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Zones, nodes and links on virtual time, for scenarios that are told step by step. */
final class VirtualZones {
    static final long TIMEOUT_MILLIS = 50;
    static final long WINDOW_MILLIS = 20_000;

    private static final long EPOCH_MILLIS = 1_000_000;

    final VirtualTime time = new VirtualTime();
    final List<SimZone> zones = new ArrayList<>();
    final List<Node> nodes = new ArrayList<>();
    private final SplittableRandom random = new SplittableRandom(1);
    private int tokens;

    /** One more zone, empty. */
    SimZone addZone() {
        SimZone zone = new SimZone("z" + zones.size(), time, EPOCH_MILLIS, Set.of());
        zones.add(zone);
        return zone;
    }

    VirtualZones(int count) {
        for (int i = 0; i < count; i++) {
            zones.add(new SimZone("z" + i, time, EPOCH_MILLIS, Set.of()));
        }
    }

    /** Three copies, QUORUM, no comparison. */
    static Setup setup() {
        return new Setup(3, ReplicationMode.QUORUM, java.util.Map.of(), 5 * TIMEOUT_MILLIS, 1_000, WINDOW_MILLIS, 100);
    }

    /** A node and its links. */
    final class Node {
        final MetricRegistry metrics = new MetricRegistry();
        final List<SimLink> links = new ArrayList<>();
        final HybridClock clock;
        final ReplicatedTier tier;

        Node(Setup setup, List<SimZone> seen) {
            long number = nodes.size() + 1L;
            this.clock = new HybridClock(
                    () -> Instant.ofEpochMilli(EPOCH_MILLIS + time.millis()), number, Duration.ofSeconds(60));
            List<SimReplica> replicas = new ArrayList<>();
            for (SimZone zone : seen) {
                SimLink link = new SimLink(time, random.split(), zone, 0, 200);
                links.add(link);
                replicas.add(new SimReplica(zone, link, time, TIMEOUT_MILLIS, EPOCH_MILLIS));
            }
            this.tier = new ReplicatedTier(replicas, setup, clock, time, metrics, () -> "t" + tokens++, Set.of());
        }

        void cut(int zone, boolean cut) {
            links.get(zone).requestsCut = cut;
            links.get(zone).answersCut = cut;
        }

        Version write(String key, @Nullable String value, long ttlMillis) {
            return write(key, value, ttlMillis, ReplicationMode.QUORUM);
        }

        Version write(String key, @Nullable String value, long ttlMillis, ReplicationMode mode) {
            dev.terrace.spi.Replicated receipt =
                    await(tier.write(key(key), version -> entry(key, value, version, ttlMillis), mode));
            if (receipt.outcome() != dev.terrace.spi.Replicated.Outcome.ACKNOWLEDGED || receipt.version() == null) {
                throw new AssertionError("not acknowledged: " + receipt);
            }
            return receipt.version();
        }

        Entry entry(String key, @Nullable String value, Version version, long ttlMillis) {
            long now = clock.millis();
            return new Entry(
                    key(key),
                    value == null ? EntryKind.TOMBSTONE : EntryKind.VALUE,
                    version,
                    now,
                    now + ttlMillis,
                    now + ttlMillis,
                    List.of(),
                    value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8));
        }

        @Nullable
        String read(String key) {
            return text(await(tier.read(key(key), ReplicationMode.QUORUM)));
        }

        long count(String name) {
            return metrics.counter(name).getCount();
        }

        Object gauge(String name) {
            Gauge<?> gauge = metrics.getGauges().get(name);
            if (gauge == null) {
                throw new AssertionError(
                        "no gauge " + name + " among " + metrics.getGauges().keySet());
            }
            return gauge.getValue();
        }
    }

    static @Nullable String text(Lookup found) {
        if (found instanceof Lookup.Unavailable) {
            throw new AssertionError(found);
        }
        return found instanceof Lookup.Hit hit && hit.entry().isValue()
                ? new String(hit.entry().payload(), StandardCharsets.UTF_8)
                : null;
    }

    static CacheKey key(String text) {
        return CacheKey.of("c", text);
    }

    Node node(UnaryOperator<Setup> how) {
        Node node = new Node(how.apply(setup()), zones);
        nodes.add(node);
        return node;
    }

    Node node(Setup setup, List<SimZone> seen) {
        Node node = new Node(setup, seen);
        nodes.add(node);
        return node;
    }

    void run(long millis) {
        time.runUntil(time.millis() + millis);
    }

    <T> T await(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        for (int i = 0; i < 10_000 && !future.isDone(); i++) {
            run(1);
        }
        if (!future.isDone()) {
            throw new AssertionError("never answered");
        }
        return future.join();
    }

    @Nullable
    Entry held(int zone, String key) {
        return zones.get(zone).read(key(key));
    }

    @Nullable
    Version version(int zone, String key) {
        Entry held = held(zone, key);
        return held == null ? null : held.version();
    }
}
