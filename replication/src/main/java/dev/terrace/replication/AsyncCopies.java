package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Reads and writes that promise convergence only: writes go to all zones of a key and answer when enough have them; reads ask
 * the zone that has answered fastest lately, another one too when it takes unusually long, and the others when it has nothing.
 * Thread-safe.
 */
final class AsyncCopies {
    /** Before anything was measured, and at least. */
    private static final long LEAST_HEDGE_MILLIS = 5;

    private final Context context;
    private final Map<String, Latency> latencies = new ConcurrentHashMap<>();

    AsyncCopies(Context context) {
        this.context = context;
    }

    /**
     * How long a zone takes: smoothed mean and deviation, as TCP does for its timeout (Jacobson, 1988). Mean plus four
     * deviations stands for "unusually long".
     */
    private static final class Latency {
        private double mean;
        private double deviation;

        synchronized void observe(double millis) {
            double error = millis - mean;
            mean += error / 8;
            deviation += (Math.abs(error) - deviation) / 4;
        }

        synchronized double mean() {
            return mean;
        }

        synchronized long unusual() {
            return Math.max(LEAST_HEDGE_MILLIS, (long) Math.ceil(mean + 4 * deviation));
        }
    }

    private Latency of(Replica zone) {
        return latencies.computeIfAbsent(zone.zone(), name -> new Latency());
    }

    CompletionStage<Lookup> read(CacheKey key) {
        List<Replica> order = new ArrayList<>(context.zonesOf(key));
        order.sort(Comparator.comparingDouble(zone -> of(zone).mean()));
        return new Read(key, order).start();
    }

    private final class Read {
        private final CacheKey key;
        private final List<Replica> order;
        private final CompletableFuture<Lookup> result = new CompletableFuture<>();
        private int next;
        private int answered;
        private boolean missed;
        private Lookup.Unavailable trouble =
                new Lookup.Unavailable(TierLevel.L2, Unavailability.ERROR, "no zone answers");

        Read(CacheKey key, List<Replica> order) {
            this.key = key;
            this.order = order;
        }

        CompletionStage<Lookup> start() {
            askNext();
            return result;
        }

        private void askNext() {
            Replica zone;
            synchronized (this) {
                if (result.isDone() || next == order.size()) {
                    return;
                }
                zone = order.get(next++);
            }
            long started = context.timing().nanos();
            zone.get(key).exceptionally(QuorumRead::bug).thenAccept(lookup -> {
                of(zone).observe((context.timing().nanos() - started) / (double) TimeUnit.MILLISECONDS.toNanos(1));
                answer(lookup);
            });
            if (!result.isDone()) {
                context.timing().after(of(zone).unusual(), this::askNext);
            }
        }

        private void answer(Lookup lookup) {
            boolean last;
            synchronized (this) {
                answered++;
                missed |= lookup instanceof Lookup.Miss;
                trouble = lookup instanceof Lookup.Unavailable no ? no : trouble;
                last = answered == order.size();
            }
            if (lookup instanceof Lookup.Hit) {
                result.complete(lookup);
            } else if (last) {
                result.complete(missed ? Lookup.MISS : trouble);
            } else {
                askNext();
            }
        }
    }

    CompletionStage<Replicated> write(Entry entry, ReplicationMode by) {
        return new Write(entry, by).start();
    }

    CompletionStage<StoreOutcome> store(Entry entry, ReplicationMode by) {
        return write(entry, by).thenApply(receipt -> switch (receipt.outcome()) {
            case ACKNOWLEDGED -> new StoreOutcome.Applied(receipt.acked().size(), receipt.required());
            case REFUSED -> new StoreOutcome.Superseded(receipt.version());
            case FAILED, UNKNOWN -> new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.ERROR, receipt.detail());
        });
    }

    private final class Write {
        private final Entry entry;
        private final List<Replica> zones;
        private final int required;
        private final CompletableFuture<Replicated> result = new CompletableFuture<>();
        private final Set<String> acked = new LinkedHashSet<>();
        private final Set<String> missed = new LinkedHashSet<>();
        private dev.terrace.spi.@org.jspecify.annotations.Nullable Version newer;
        private int answered;
        private String why = "";

        Write(Entry entry, ReplicationMode by) {
            Placement.Holders holders = context.placement().holders(entry.key());
            this.entry = entry;
            this.zones = holders.zones();
            this.required = switch (by) {
                case ASYNC -> 1;
                case QUORUM -> holders.required();
                case SYNC -> zones.size();
            };
        }

        CompletionStage<Replicated> start() {
            for (Replica zone : zones) {
                zone.put(entry, WriteCondition.IF_NEWER)
                        .exceptionally(QuorumWrite::bug)
                        .thenAccept(outcome -> answer(zone, outcome));
            }
            return result;
        }

        private void answer(Replica zone, StoreOutcome outcome) {
            context.heard(zone, outcome);
            Replicated receipt = null;
            boolean hint = false;
            synchronized (this) {
                answered++;
                if (outcome instanceof StoreOutcome.Applied) {
                    acked.add(zone.zone());
                } else if (outcome instanceof StoreOutcome.Superseded superseded) {
                    // Something newer is there: for the caller of a copy that is an answer, too.
                    newer = superseded.current();
                    acked.add(zone.zone());
                } else if (outcome instanceof StoreOutcome.Refused refused) {
                    why = refused.reason();
                } else {
                    why = outcome.toString();
                    missed.add(zone.zone());
                    hint = true;
                }
                if (acked.size() >= required) {
                    receipt = receipt(
                            newer != null && newer.isNewerThan(entry.version())
                                    ? Replicated.Outcome.REFUSED
                                    : Replicated.Outcome.ACKNOWLEDGED);
                } else if (answered == zones.size()) {
                    receipt = receipt(
                            acked.isEmpty() && missed.isEmpty()
                                    ? Replicated.Outcome.FAILED
                                    : Replicated.Outcome.UNKNOWN);
                }
            }
            if (hint) {
                context.meters().zone(zone.zone()).acksMissed.inc();
                context.hints().add(zone, entry);
            }
            if (receipt != null) {
                result.complete(receipt);
            }
        }

        private Replicated receipt(Replicated.Outcome outcome) {
            return new Replicated(
                    outcome,
                    outcome == Replicated.Outcome.REFUSED ? newer : entry.version(),
                    acked,
                    required,
                    missed,
                    null,
                    why);
        }
    }
}
