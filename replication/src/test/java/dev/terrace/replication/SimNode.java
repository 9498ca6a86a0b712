package dev.terrace.replication;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.replication.ReplicatedTier.Healing;
import dev.terrace.replication.ReplicatedTier.Setup;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import dev.terrace.testkit.history.Observed;
import dev.terrace.testkit.history.Op;
import dev.terrace.testkit.history.Pending;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A node on virtual time: its clients of all zones, the tier over them, and what its callers do and are told. */
final class SimNode {
    private static final long TTL_MILLIS = Duration.ofHours(10).toMillis();

    private final Simulation simulation;
    final String name;
    final SimMove.Step step;
    final SimHost host;
    final HybridClock clock;
    final ReplicatedTier tier;
    final List<SimReplica> replicas = new ArrayList<>();
    final List<SimLink> links = new ArrayList<>();
    private final MetricRegistry metrics = new MetricRegistry();
    private final Counter alarms = metrics.counter("replication.data_may_be_lost");
    private final Map<String, Entry> seen = new HashMap<>();
    private int unanswered;

    /**
     * @param id no other node has ever had
     * @param step of what its settings are
     */
    SimNode(Simulation simulation, String name, int id, long skewMillis, SimMove.Step step) {
        this.simulation = simulation;
        this.name = name;
        this.step = step;
        this.host = new SimHost(simulation.time, skewMillis);
        this.clock = new HybridClock(() -> Instant.ofEpochMilli(host.wallMillis()), id, Duration.ofSeconds(60));
        Profile profile = simulation.profile;
        SplittableRandom random = simulation.random;
        for (SimZone zone : simulation.zones) {
            SimLink link = new SimLink(
                    simulation.time,
                    random.split(),
                    host,
                    zone,
                    profile.loss,
                    profile.repetition,
                    profile.longestMicros);
            links.add(link);
            replicas.add(new SimReplica(zone, link, simulation.time, profile.timeoutMillis));
        }
        Setup setup = new Setup(
                        profile.copies,
                        ReplicationMode.QUORUM,
                        Map.of(),
                        profile.deadlineMillis(),
                        1_000,
                        20_000,
                        profile.examineMillis)
                .with(new Healing(20_000, profile.compareMillis, 100_000, TTL_MILLIS, true))
                .with(simulation.move.transition(step));
        this.tier = new ReplicatedTier(
                simulation.seen(replicas, step), setup, clock, host, metrics, simulation::token, simulation.mutations);
    }

    long alarms() {
        return alarms.getCount();
    }

    /** How many calls have not been answered. */
    int unanswered() {
        return unanswered;
    }

    /** Every call is answered, and normally, whatever happens to zones. */
    private <T> CompletionStage<T> watched(CompletionStage<T> call) {
        unanswered++;
        return call.whenComplete((answer, bug) -> {
            unanswered--;
            if (bug != null) {
                simulation.failed(name, bug);
            }
        });
    }

    long droppedHints() {
        return simulation.zones.stream()
                .mapToLong(zone -> metrics.counter("replication.zone." + zone.name + ".hints.dropped")
                        .getCount())
                .sum();
    }

    long pendingHints() {
        return simulation.zones.stream()
                .mapToLong(zone -> {
                    Gauge<?> gauge = metrics.getGauges().get("replication.zone." + zone.name + ".hints.pending");
                    return gauge != null && gauge.getValue() instanceof Number number ? number.longValue() : 0;
                })
                .sum();
    }

    SimLink link(SimZone zone) {
        return links.get(simulation.zones.indexOf(zone));
    }

    static @Nullable String text(@Nullable Entry entry) {
        return entry != null && entry.isValue() ? new String(entry.payload(), StandardCharsets.UTF_8) : null;
    }

    private Entry entry(CacheKey key, Version version, @Nullable String value) {
        long now = clock.millis();
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

    CompletionStage<Lookup> read(String client, CacheKey key) {
        Pending pending = simulation.history.begin(client, name, Op.get(key.toString()));
        return watched(tier.read(key, Simulation.modeOf(key)).thenApply(found -> {
            if (found instanceof Lookup.Hit hit) {
                if (hit.entry().isValue()) {
                    seen.put(key.toString(), hit.entry());
                } else {
                    seen.remove(key.toString());
                }
                simulation.told(key, hit.entry().version(), !hit.entry().isValue(), false, name + " reading");
                // Without the version, which may be renewed when writes collide.
                pending.ok(text(hit.entry()), null);
            } else if (found instanceof Lookup.Miss) {
                seen.remove(key.toString());
                pending.ok(null, null);
            } else {
                pending.fail();
            }
            return found;
        }));
    }

    CompletionStage<Replicated> write(String client, CacheKey key, @Nullable String value) {
        ReplicationMode mode = Simulation.modeOf(key);
        Op op = value == null ? Op.invalidate(key.toString()) : Op.put(key.toString(), value);
        Pending pending = simulation.history.begin(client, name, op);
        return watched(tier.write(key, version -> entry(key, version, value), mode)
                .thenApply(receipt -> {
                    if (receipt.outcome() == Replicated.Outcome.ACKNOWLEDGED && receipt.version() != null) {
                        simulation.told(
                                key,
                                receipt.version(),
                                value == null,
                                mode == ReplicationMode.SYNC,
                                name + " acknowledging to " + client);
                    }
                    end(pending, receipt);
                    return receipt;
                }));
    }

    /** What promises convergence only; nothing of it is recorded. */
    CompletionStage<?> copy(CacheKey key, @Nullable String value, boolean reading) {
        return reading
                ? watched(tier.read(key, ReplicationMode.ASYNC))
                : watched(tier.write(key, version -> entry(key, version, value), ReplicationMode.ASYNC));
    }

    /** If absent. */
    CompletionStage<Replicated> putIfAbsent(String client, CacheKey key, String value) {
        return change(client, key, Op.putIfAbsent(key.toString(), value), null, value);
    }

    /** If the value is {@code expected}, whatever its version. */
    CompletionStage<Replicated> swap(String client, CacheKey key, String expected, String value) {
        return change(client, key, Op.compareAndSet(key.toString(), expected, value), expected, value);
    }

    private CompletionStage<Replicated> change(
            String client, CacheKey key, Op op, @Nullable String expected, String value) {
        Pending pending = simulation.history.begin(client, name, op);
        return watched(tier.change(key, (held, version) -> {
                    String now = text(held);
                    boolean holds = expected == null ? now == null : expected.equals(now);
                    return holds ? entry(key, version, value) : null;
                })
                .thenApply(receipt -> {
                    noteChange(client, key, receipt);
                    end(pending, receipt);
                    return receipt;
                }));
    }

    /** If the version is that of what this node has read last. */
    CompletionStage<Replicated> replace(String client, CacheKey key, String value) {
        Entry expected = seen.get(key.toString());
        if (expected == null) {
            return putIfAbsent(client, key, value);
        }
        Op op = Op.compareAndSet(key.toString(), text(expected), value);
        Pending pending = simulation.history.begin(client, name, op);
        return watched(tier.change(key, (held, version) -> {
                    boolean holds =
                            held != null && held.isValue() && held.version().equals(expected.version());
                    return holds ? entry(key, version, value) : null;
                })
                .thenApply(receipt -> {
                    noteChange(client, key, receipt);
                    if (receipt.outcome() == Replicated.Outcome.REFUSED) {
                        // The version may have been renewed: a refusal says nothing about the value.
                        nothing(pending);
                    } else {
                        end(pending, receipt);
                    }
                    return receipt;
                }));
    }

    private void noteChange(String client, CacheKey key, Replicated receipt) {
        Entry current = receipt.current();
        if (receipt.outcome() == Replicated.Outcome.ACKNOWLEDGED && receipt.version() != null) {
            simulation.told(key, receipt.version(), false, false, name + " acknowledging to " + client);
        } else if (receipt.outcome() == Replicated.Outcome.REFUSED && current != null) {
            simulation.told(key, current.version(), !current.isValue(), false, name + " refusing " + client);
        }
    }

    private void end(Pending pending, Replicated receipt) {
        switch (receipt.outcome()) {
            case ACKNOWLEDGED -> pending.ok(receipt.version());
            case REFUSED -> {
                if (simulation.profile.repetition > 0) {
                    pending.unknown();
                } else {
                    pending.ok(Observed.REFUSED);
                }
            }
            case FAILED -> nothing(pending);
            case UNKNOWN -> pending.unknown();
        }
    }

    /**
     * Nothing was written; but where requests are repeated, that cannot be proven: the answer that counts may be the second one's, which
     * denies what the first has done, and what began anew is then refused because of itself.
     */
    private void nothing(Pending pending) {
        if (simulation.profile.repetition > 0) {
            pending.unknown();
        } else {
            pending.fail();
        }
    }
}
