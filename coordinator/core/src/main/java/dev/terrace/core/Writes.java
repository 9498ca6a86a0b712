package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Puts entries into the tiers: L2 first, because it decides for the fleet, then L1 under the key's stripe, then L3.
 * Thread-safe.
 */
final class Writes {
    private final Tiers tiers;
    private final Flights flights;
    private final KeyStripes stripes;
    private final HybridClock clock;
    private final @Nullable MissedWrites missed;
    private final long oldestFillMillis;
    private final int backupWritesBeforeWaiting;
    private final AtomicInteger backupWrites = new AtomicInteger();
    private final Counter backupFailures;

    Writes(
            Tiers tiers,
            Flights flights,
            KeyStripes stripes,
            HybridClock clock,
            @Nullable MissedWrites missed,
            long oldestFillMillis,
            int backupWritesBeforeWaiting,
            MetricRegistry metrics) {
        this.tiers = tiers;
        this.flights = flights;
        this.stripes = stripes;
        this.clock = clock;
        this.missed = missed;
        this.oldestFillMillis = oldestFillMillis;
        this.backupWritesBeforeWaiting = backupWritesBeforeWaiting;
        this.backupFailures = metrics.counter("tier.l3.write.failures");
    }

    /** A user's write or invalidation. */
    CompletionStage<WriteReceipt> write(Entry entry, boolean durable) {
        Tier remote = tiers.remote();
        return remote == null
                ? afterRemote(entry, null, durable)
                : remote.put(entry, WriteCondition.IF_NEWER)
                        .thenCompose(outcome -> afterRemote(entry, outcome, durable));
    }

    /** Many of them, in one round trip per tier. */
    CompletionStage<List<WriteReceipt>> writeAll(List<Entry> entries, boolean durable) {
        Tier remote = tiers.remote();
        CompletionStage<List<@Nullable StoreOutcome>> first = remote == null
                ? CompletableFuture.completedStage(Collections.nCopies(entries.size(), null))
                : remote.putAll(entries).thenApply(ArrayList::new);
        return first.thenCompose(outcomes -> {
            List<CompletableFuture<WriteReceipt>> receipts = new ArrayList<>();
            for (int i = 0; i < entries.size(); i++) {
                receipts.add(
                        afterRemote(entries.get(i), outcomes.get(i), durable).toCompletableFuture());
            }
            return CompletableFuture.allOf(receipts.toArray(CompletableFuture[]::new))
                    .thenApply(done ->
                            receipts.stream().map(CompletableFuture::join).toList());
        });
    }

    /** A write whose condition L2 has checked already, or that needed none. */
    CompletionStage<WriteReceipt> afterRemote(Entry entry, @Nullable StoreOutcome remoteOutcome, boolean durable) {
        if (remoteOutcome instanceof StoreOutcome.Superseded superseded) {
            forgetLocally(entry.key());
            Version current = superseded.current() == null ? entry.version() : superseded.current();
            return CompletableFuture.completedStage(new WriteReceipt(false, current, Set.of(), Set.of()));
        }
        Set<TierLevel> stored = EnumSet.noneOf(TierLevel.class);
        Set<TierLevel> lacking = EnumSet.noneOf(TierLevel.class);
        noteRemote(entry, remoteOutcome, stored, lacking);
        StoreOutcome local = storeLocally(entry);
        if (local instanceof StoreOutcome.Applied) {
            stored.add(TierLevel.L1);
        }
        if (remoteOutcome == null && local instanceof StoreOutcome.Superseded superseded) {
            Version current = superseded.current() == null ? entry.version() : superseded.current();
            return CompletableFuture.completedStage(new WriteReceipt(false, current, stored, lacking));
        }
        if (tiers.backup() == null) {
            return CompletableFuture.completedStage(new WriteReceipt(true, entry.version(), stored, lacking));
        }
        CompletableFuture<StoreOutcome> backup = storeInBackup(entry).toCompletableFuture();
        if (!durable && backupWrites.get() < backupWritesBeforeWaiting && !backup.isDone()) {
            return CompletableFuture.completedStage(new WriteReceipt(true, entry.version(), stored, lacking));
        }
        return backup.thenApply(outcome -> withBackup(entry, outcome, durable, stored, lacking));
    }

    private void noteRemote(
            Entry entry, @Nullable StoreOutcome outcome, Set<TierLevel> stored, Set<TierLevel> lacking) {
        if (outcome instanceof StoreOutcome.Applied) {
            stored.add(TierLevel.L2);
            if (missed != null) {
                missed.confirmed(entry);
            }
        } else if (outcome instanceof StoreOutcome.Unavailable) {
            lacking.add(TierLevel.L2);
            if (missed != null) {
                missed.add(entry);
            }
        } else if (outcome != null) {
            lacking.add(TierLevel.L2);
        }
    }

    private WriteReceipt withBackup(
            Entry entry, StoreOutcome outcome, boolean durable, Set<TierLevel> stored, Set<TierLevel> lacking) {
        if (outcome instanceof StoreOutcome.Applied || outcome instanceof StoreOutcome.Superseded) {
            stored.add(TierLevel.L3);
        } else {
            lacking.add(TierLevel.L3);
            if (durable) {
                throw new UnavailableException(
                        "write to cache '" + entry.key().cache() + "' is in " + stored + " but not durable: "
                                + reason(outcome),
                        "try again, or write without durable: true");
            }
        }
        return new WriteReceipt(true, entry.version(), stored, lacking);
    }

    private static String reason(StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Unavailable no) {
            return no.cause() + " " + no.detail();
        }
        return outcome instanceof StoreOutcome.Refused no ? no.reason() : outcome.toString();
    }

    private CompletionStage<StoreOutcome> storeInBackup(Entry entry) {
        Tier backup = tiers.backup();
        if (backup == null) {
            return CompletableFuture.completedStage(StoreOutcome.APPLIED);
        }
        backupWrites.incrementAndGet();
        return backup.put(entry, WriteCondition.IF_NEWER).whenComplete((outcome, bug) -> {
            backupWrites.decrementAndGet();
            if (bug != null
                    || !(outcome instanceof StoreOutcome.Applied || outcome instanceof StoreOutcome.Superseded)) {
                backupFailures.inc();
            }
        });
    }

    /** L3 writes that are under way. */
    int backupWritesUnderWay() {
        return backupWrites.get();
    }

    private @Nullable StoreOutcome storeLocally(Entry entry) {
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            stripe.noteWrite();
            flights.fence(entry.key());
            return tiers.local() == null ? null : tiers.local().store(entry, WriteCondition.IF_NEWER);
        } finally {
            stripe.unlock();
        }
    }

    /** Something newer is elsewhere: what L1 holds, and what flights will bring, must not be answered. */
    void forgetLocally(CacheKey key) {
        KeyStripes.Stripe stripe = stripes.of(key);
        stripe.lock();
        try {
            stripe.noteWrite();
            flights.fence(key);
            if (tiers.local() != null) {
                tiers.local().drop(key);
            }
        } finally {
            stripe.unlock();
        }
    }

    /** Copies what a lower tier held to the tiers above it. */
    void promote(CacheState cache, Flight flight, Found found) {
        Entry entry = found.entry();
        if (entry == null || !found.settles(clock.millis())) {
            return;
        }
        if (found.source() == Source.L2 || found.source() == Source.L3) {
            fillLocally(cache, flight, entry);
        }
        if (found.source() == Source.L3 && tiers.remote() != null) {
            tiers.remote().put(entry, WriteCondition.IF_NEWER).thenAccept(outcome -> {
                if (outcome instanceof StoreOutcome.Superseded) {
                    forgetLocally(entry.key());
                }
            });
        }
    }

    /** As {@link #promote} for many keys, one round trip to L2. */
    void promoteAll(CacheState cache, Map<CacheKey, Flight> flights, Map<CacheKey, Found> found) {
        List<Entry> forRemote = new ArrayList<>();
        long now = clock.millis();
        flights.forEach((key, flight) -> {
            Found best = found.get(key);
            Entry entry = best == null || !best.settles(now) ? null : best.entry();
            if (best != null && entry != null && best.source() != Source.L1) {
                fillLocally(cache, flight, entry);
                if (best.source() == Source.L3) {
                    forRemote.add(entry);
                }
            }
        });
        if (tiers.remote() != null && !forRemote.isEmpty()) {
            tiers.remote().putAll(forRemote).thenAccept(outcomes -> {
                for (int i = 0; i < outcomes.size(); i++) {
                    if (outcomes.get(i) instanceof StoreOutcome.Superseded) {
                        forgetLocally(forRemote.get(i).key());
                    }
                }
            });
        }
    }

    /** Stores what the loader said, under the version of the moment when the miss began. */
    CompletionStage<Void> fill(CacheState cache, Flight flight, Entry entry) {
        if (!mayFill(cache, flight, entry)) {
            cache.fillsRefused.inc();
            return CompletableFuture.completedStage(null);
        }
        Tier remote = tiers.remote();
        CompletionStage<@Nullable StoreOutcome> first = remote == null
                ? CompletableFuture.completedStage(null)
                : remote.put(entry, WriteCondition.IF_NEWER).thenApply(outcome -> outcome);
        return first.thenAccept(outcome -> {
            if (outcome instanceof StoreOutcome.Superseded) {
                cache.fillsRefused.inc();
                forgetLocally(entry.key());
                return;
            }
            fillLocally(cache, flight, entry);
            storeInBackup(entry);
        });
    }

    private boolean mayFill(CacheState cache, Flight flight, Entry entry) {
        // A tombstone may be gone after its retention, so a load that took longer proves nothing.
        boolean tooLate = clock.millis() - flight.began.epochMillis() >= oldestFillMillis;
        return !flight.isFenced() && !tooLate && !cache.hides(entry);
    }

    /** To be asked before a warm-up writes {@code key} to L2, and handed to {@link #warm} afterwards. */
    long writesSeen(CacheKey key) {
        return stripes.of(key).writes();
    }

    /** Stores into L1 what a warm-up has written to L2, unless some key of its stripe was written meanwhile. */
    StoreOutcome warm(LocalTier local, CacheState cache, Entry entry, long writesSeen) {
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            return cache.hides(entry) || stripe.writes() != writesSeen
                    ? new StoreOutcome.Superseded(entry.version())
                    : local.store(entry, WriteCondition.IF_NEWER);
        } finally {
            stripe.unlock();
        }
    }

    private void fillLocally(CacheState cache, Flight flight, Entry entry) {
        if (tiers.local() == null) {
            return;
        }
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            if (mayFill(cache, flight, entry)) {
                tiers.local().store(entry, WriteCondition.IF_NEWER);
            } else {
                cache.fillsRefused.inc();
            }
        } finally {
            stripe.unlock();
        }
    }
}
