package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Acknowledgements;
import dev.terrace.api.BadInputException;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Notice;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Puts users' writes into the tiers: L2 first, because it decides for the fleet, then L1 under the key's stripe, then L3.
 * Thread-safe.
 */
final class Writes {
    private static final Set<TierLevel> ONLY_L1 = Set.of(TierLevel.L1);

    private final Tiers tiers;
    private final LocalCopies copies;
    private final Missed missed;
    private final int backupWritesBeforeWaiting;
    private final AtomicInteger backupWrites = new AtomicInteger();
    private final Counter backupFailures;
    private final Announcer announcer;
    private final Promises promises;
    private final @Nullable Remote remote;
    private final ReplicationMode strongest;

    /** There is no tier but L1, and no other node to be told. */
    private final boolean onlyLocal;

    /**
     * @param remote L2, null without one
     * @param strongest the mode of what concerns whole caches
     * @param backupWritesBeforeWaiting from this many unfinished L3 writes on, writers wait for theirs
     */
    Writes(
            Tiers tiers,
            @Nullable Remote remote,
            ReplicationMode strongest,
            LocalCopies copies,
            Missed missed,
            int backupWritesBeforeWaiting,
            Announcer announcer,
            Promises promises,
            MetricRegistry metrics) {
        this.remote = remote;
        this.strongest = strongest;
        this.onlyLocal = remote == null && tiers.backup() == null && announcer.isSilent();
        this.announcer = announcer;
        this.promises = promises;
        this.tiers = tiers;
        this.copies = copies;
        this.missed = missed;
        this.backupWritesBeforeWaiting = backupWritesBeforeWaiting;
        this.backupFailures = metrics.counter("tier.l3.write.failures");
    }

    /** A user's write or invalidation. */
    CompletionStage<WriteReceipt> write(Intent intent, HybridClock clock) {
        return remote == null
                ? afterRemote(Written.nowhere(intent.make().apply(clock.next())), intent.terms())
                : remote.write(intent).thenCompose(written -> afterRemote(written, intent.terms()));
    }

    /** A user's write that has its version. */
    CompletionStage<WriteReceipt> store(Entry entry, Terms terms) {
        return remote == null
                ? afterRemote(Written.nowhere(entry), terms)
                : remote.store(entry, terms.mode()).thenCompose(written -> afterRemote(written, terms));
    }

    /** What concerns a whole cache. Where too few copies acknowledge it, the receipt says that L2 missed it. */
    CompletionStage<WriteReceipt> write(Entry entry, boolean durable) {
        Terms terms = new Terms(ReplicationMode.ASYNC, durable);
        return remote == null
                ? afterRemote(Written.nowhere(entry), terms)
                : remote.store(entry, strongest).thenCompose(written -> afterRemote(lenient(written), terms));
    }

    private static Written lenient(Written written) {
        return written.outcome() instanceof StoreOutcome.Underacknowledged
                ? new Written(
                        written.entry(),
                        new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, written.trouble()),
                        written.acknowledgements(),
                        true)
                : written;
    }

    /** Many of them, one round trip to L2. */
    CompletionStage<List<WriteReceipt>> writeAll(List<Intent> intents, HybridClock clock) {
        if (intents.isEmpty()) {
            return CompletableFuture.completedStage(List.of());
        }
        CompletionStage<List<Written>> first = remote == null
                ? CompletableFuture.completedStage(intents.stream()
                        .map(intent -> Written.nowhere(intent.make().apply(clock.next())))
                        .toList())
                : remote.writeAll(intents);
        return first.thenCompose(written -> {
            List<CompletableFuture<WriteReceipt>> receipts = new ArrayList<>();
            for (int i = 0; i < intents.size(); i++) {
                receipts.add(afterRemote(written.get(i), intents.get(i).terms()).toCompletableFuture());
            }
            return joined(receipts);
        });
    }

    /** All receipts in their order; fails as the first failed one does. */
    static CompletionStage<List<WriteReceipt>> joined(List<CompletableFuture<WriteReceipt>> receipts) {
        return CompletableFuture.allOf(receipts.toArray(CompletableFuture[]::new))
                .thenApply(
                        done -> receipts.stream().map(CompletableFuture::join).toList());
    }

    /** The rest of a write that L2 has judged; fails when fewer copies acknowledged it than {@code terms} ask for. */
    CompletionStage<WriteReceipt> afterRemote(Written written, Terms terms) {
        if (terms.mode() != ReplicationMode.ASYNC && !written.isJudged()) {
            return CompletableFuture.failedStage(tooFew(written, ""));
        }
        if (onlyLocal) {
            return here(written.entry());
        }
        CompletionStage<WriteReceipt> spread = spread(written, terms.durable());
        Acknowledgements acknowledgements = written.acknowledgements();
        return acknowledgements == null
                ? spread
                : spread.thenApply(receipt -> receipt.withAcknowledgements(acknowledgements));
    }

    /** To be thrown when copies are missing. What may have happened is told to this node and the others first. */
    ReplicationException tooFew(Written written, String what) {
        Entry entry = written.entry();
        if (written.possible()) {
            copies.forget(entry.key());
            tell(entry);
        }
        WriteReceipt receipt = new WriteReceipt(false, entry.version(), Set.of(), Set.of(TierLevel.L2))
                .withAcknowledgements(written.acknowledgements());
        return new ReplicationException(
                what + "write to cache '" + entry.key().cache() + "' was not acknowledged by enough copies in L2 ("
                        + written.trouble() + "); "
                        + (written.possible() ? "whether it happened is unknown" : "nothing was changed"),
                written.possible() ? "read the value before trying again" : "try again later",
                receipt,
                written.possible());
    }

    /** As {@link #spread}, where nothing needs to wait for anybody. */
    private CompletionStage<WriteReceipt> here(Entry entry) {
        StoreOutcome local = copies.write(entry, true);
        return CompletableFuture.completedFuture(
                local instanceof StoreOutcome.Superseded superseded
                        ? lost(entry, superseded)
                        : new WriteReceipt(
                                true,
                                entry.version(),
                                local instanceof StoreOutcome.Applied ? ONLY_L1 : Set.of(),
                                Set.of()));
    }

    private CompletionStage<WriteReceipt> spread(Written written, boolean durable) {
        Entry entry = written.entry();
        StoreOutcome remoteOutcome = written.outcome();
        if (remoteOutcome instanceof StoreOutcome.Superseded superseded) {
            overtaken(entry, superseded);
            return CompletableFuture.completedStage(lost(entry, superseded));
        }
        if (remoteOutcome instanceof StoreOutcome.Refused refused) {
            return CompletableFuture.failedStage(new BadInputException(
                    "L2 refused a write to cache '" + entry.key().cache() + "': " + refused.reason(),
                    "nothing was changed"));
        }
        Set<TierLevel> stored = EnumSet.noneOf(TierLevel.class);
        Set<TierLevel> lacking = EnumSet.noneOf(TierLevel.class);
        if (remoteOutcome != null) {
            // Noted before L1 shows the write: whoever has seen it must not read an older one from L2 afterwards.
            Missed.note(missed.remote(), entry, remoteOutcome);
            (remoteOutcome instanceof StoreOutcome.Applied ? stored : lacking).add(TierLevel.L2);
        }
        if (missed.backup() != null) {
            // L3 may answer older values until it has taken this one. Noted before L1 shows the write, and so before
            // the
            // flights are fenced: one that begins after that knows of it, even if L1 evicts it at once.
            missed.backup().begin(entry);
        }
        Promise promise = promises.of(entry.key().cache(), entry.key());
        StoreOutcome local = null;
        if (remoteOutcome instanceof StoreOutcome.Unavailable && !promise.isEventual()) {
            // L2 may hold something newer that this node, having joined since, was never told of.
            copies.changed(entry.key(), entry.version());
        } else {
            local = copies.write(entry, tiers.remote() == null);
        }
        if (local instanceof StoreOutcome.Applied) {
            stored.add(TierLevel.L1);
        } else if (remoteOutcome == null && local instanceof StoreOutcome.Superseded superseded) {
            if (missed.backup() != null) {
                // It will not be sent to L3; what it lost to will.
                missed.backup().confirmed(entry);
            }
            return CompletableFuture.completedStage(lost(entry, superseded));
        }
        boolean strict = promise.isStrict();
        boolean told = !announcer.isSilent() && !entry.key().cache().startsWith(Markers.RESERVED_PREFIX);
        if (!told && !strict) {
            return throughBackup(entry, durable, stored, lacking);
        }
        CompletionStage<Boolean> announced = CompletableFuture.completedStage(false);
        if (told && promise.isEventual()) {
            // No promise rests on it, so the caller does not wait for the log's answer: that would double a put. What
            // no log
            // takes is sent again all the same.
            CompletionStage<Boolean> soon = announcer.announceSoon(List.of(changed(entry, false)));
            announced =
                    CompletableFuture.completedStage(soon.toCompletableFuture().getNow(false));
        } else if (told) {
            announced = announcer.announce(List.of(changed(entry, strict)), strict);
        }
        boolean unknown = strict && remoteOutcome instanceof StoreOutcome.Unavailable;
        return throughBackup(entry, durable, stored, lacking).thenCombine(announced, (receipt, sure) -> {
            if (unknown || strict && told && !sure) {
                throw unconfirmed(entry.key().cache(), unknown);
            }
            return receipt.withAnnounced(sure);
        });
    }

    /** L2 holds something newer. */
    void overtaken(Entry entry, StoreOutcome.Superseded superseded) {
        if (superseded.current() != null && superseded.current().isNewerThan(entry.version())) {
            copies.changed(entry.key(), superseded.current());
        } else {
            copies.forget(entry.key());
        }
    }

    static UnavailableException unconfirmed(String cache, boolean remoteAway) {
        return new UnavailableException(
                "strict write to cache '" + cache + "' "
                        + (remoteAway ? "was not confirmed by L2" : "was not heard by all nodes that may hold a copy")
                        + "; whether it happened is unknown",
                "read the value before trying again");
    }

    private Notice changed(Entry entry, boolean confirm) {
        return new Notice.Changed(announcer.node(), entry.key(), entry.version(), confirm);
    }

    /** Tells other nodes of a write that may have happened, or happened late, without waiting. */
    void tell(Entry entry) {
        if (!entry.key().cache().startsWith(Markers.RESERVED_PREFIX)) {
            announcer.repeat(entry.key(), entry.version());
        }
    }

    private CompletionStage<WriteReceipt> throughBackup(
            Entry entry, boolean durable, Set<TierLevel> stored, Set<TierLevel> lacking) {
        if (tiers.backup() == null) {
            return CompletableFuture.completedStage(new WriteReceipt(true, entry.version(), stored, lacking));
        }
        CompletableFuture<StoreOutcome> backup = noted(entry).toCompletableFuture();
        if (!durable && backupWrites.get() < backupWritesBeforeWaiting && !backup.isDone()) {
            return CompletableFuture.completedStage(new WriteReceipt(true, entry.version(), stored, lacking));
        }
        return backup.thenApply(outcome -> withBackup(entry, outcome, durable, stored, lacking));
    }

    private static WriteReceipt lost(Entry entry, StoreOutcome.Superseded superseded) {
        Version current = superseded.current() == null ? entry.version() : superseded.current();
        return new WriteReceipt(false, current, Set.of(), Set.of());
    }

    private CompletionStage<StoreOutcome> noted(Entry entry) {
        return storeInBackup(entry).thenApply(outcome -> {
            Missed.note(missed.backup(), entry, outcome);
            return outcome;
        });
    }

    private static WriteReceipt withBackup(
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
        return new WriteReceipt(
                true, entry.version(), stored, lacking, false, durable && stored.contains(TierLevel.L3), null);
    }

    private static String reason(StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Unavailable no) {
            return no.cause() + " " + no.detail();
        }
        return outcome instanceof StoreOutcome.Refused no ? no.reason() : outcome.toString();
    }

    /** Stores in L3, if there is one, without waiting. */
    CompletionStage<StoreOutcome> storeInBackup(Entry entry) {
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
}
