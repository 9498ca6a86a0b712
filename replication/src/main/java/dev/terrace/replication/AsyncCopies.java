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
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes that promise convergence only: writes go to all zones of a key and answer when enough have them. Reads ask one
 * zone, the nearest that is not slow, or that has answered fastest lately; another one too when it takes longer than 95 in 100 of
 * its answers did, and the others when it has nothing. Thread-safe.
 */
final class AsyncCopies {
    /** Before enough was measured. */
    private static final long FIRST_HEDGE_MILLIS = 5;

    private final Context context;
    private final Set<String> nearest;
    private final boolean hedge;
    private final long hedgeAtLeastMillis;

    AsyncCopies(Context context, ReplicatedTier.Reads reads) {
        this.context = context;
        this.nearest = reads.nearest();
        this.hedge = reads.hedge();
        this.hedgeAtLeastMillis = reads.hedgeAtLeastMillis();
    }

    private Answering.OfZone of(Replica zone) {
        return context.answering().of(zone);
    }

    private long hedgeMillis(Replica zone) {
        double patience = context.answering().patienceMillis(zone);
        return Math.max(hedgeAtLeastMillis, patience == 0 ? FIRST_HEDGE_MILLIS : (long) Math.ceil(patience));
    }

    CompletionStage<Lookup> read(CacheKey key) {
        record Choice(Replica zone, boolean slow, boolean near, double mean) {}
        List<Choice> choices = new ArrayList<>();
        for (Replica zone : context.zonesOf(key)) {
            choices.add(
                    new Choice(zone, context.answering().isSlow(zone), nearest.contains(zone.zone()), of(zone).mean()));
        }
        choices.sort(Comparator.comparing(Choice::slow)
                .thenComparing(choice -> !choice.near())
                .thenComparingDouble(Choice::mean));
        // A slow zone is asked beside the one that answers, now and then: it may have recovered.
        Replica tried = null;
        for (Choice choice : choices.subList(1, choices.size())) {
            if (tried == null && choice.slow() && of(choice.zone()).isToBeTried()) {
                tried = choice.zone();
            }
        }
        return new Read(key, choices.stream().map(Choice::zone).toList()).start(tried);
    }

    private final class Read {
        private final CacheKey key;
        private final List<Replica> order;
        private final Set<Replica> asked = new HashSet<>();
        private final CompletableFuture<Lookup> result = new CompletableFuture<>();
        private int answered;
        private boolean missed;
        private Lookup.Unavailable trouble =
                new Lookup.Unavailable(TierLevel.L2, Unavailability.ERROR, "no zone answers");

        Read(CacheKey key, List<Replica> order) {
            this.key = key;
            this.order = order;
        }

        CompletionStage<Lookup> start(@Nullable Replica beside) {
            askNext(null);
            if (beside != null) {
                ask(beside);
            }
            return result;
        }

        private void askNext(@Nullable Replica hedged) {
            Replica zone;
            synchronized (this) {
                zone = order.stream()
                        .filter(each -> !asked.contains(each))
                        .findFirst()
                        .orElse(null);
            }
            if (zone == null || result.isDone()) {
                return;
            }
            if (hedged != null) {
                context.meters().zone(hedged.zone()).hedges.inc();
            }
            long delay = hedgeMillis(zone);
            if (ask(zone) && hedge && !result.isDone()) {
                context.timing().after(delay, () -> askNext(zone));
            }
        }

        /** False when it has been asked already. */
        private boolean ask(Replica zone) {
            synchronized (this) {
                if (!asked.add(zone)) {
                    return false;
                }
            }
            long started = context.timing().nanos();
            of(zone).asked();
            zone.get(key).exceptionally(QuorumRead::bug).thenAccept(lookup -> {
                if (lookup instanceof Lookup.Unavailable no && no.cause() == Unavailability.BREAKER_OPEN) {
                    of(zone).notAsked();
                } else {
                    of(zone).answered(started);
                }
                answer(lookup);
            });
            return true;
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
                askNext(null);
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
        private dev.terrace.spi.@Nullable Version newer;
        private int answered;
        private long firstAckNanos;
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
                if (outcome instanceof StoreOutcome.Applied || outcome instanceof StoreOutcome.Superseded) {
                    long now = context.timing().nanos();
                    firstAckNanos = acked.isEmpty() ? now : firstAckNanos;
                    of(zone).lagged((now - firstAckNanos) / 1e6);
                }
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
