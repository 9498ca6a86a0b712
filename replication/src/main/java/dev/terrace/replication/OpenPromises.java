package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.Replicated.Outcome;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends promises above which a zone holds nothing yet: an acceptance may still be on its way to it, of a conditional write that has
 * not seen what zones took that promised nothing, and what is copied from those. What the key holds is written once more by a
 * conditional write of its own, so that enough zones have something newer than whatever was promised. Thread-safe.
 */
final class OpenPromises {
    private static final Logger LOG = LoggerFactory.getLogger(OpenPromises.class);

    private final Context context;

    /** Under way, so that walks of several zones that meet the same key at the same time do not compete. */
    private final Map<Work, CompletionStage<Boolean>> ending = new ConcurrentHashMap<>();

    /** Of a key, for a zone that is filled or for none. */
    private record Work(CacheKey key, @Nullable Replica target) {}

    OpenPromises(Context context) {
        this.context = context;
    }

    /**
     * Looks whether {@code zone} holds what it has promised, or something newer, and sees to it that this does not matter where it
     * does not. Tries a few times.
     *
     * @param promise as found in a page of the zone
     * @param target the zone that is being filled and does not vote; null when none is
     * @param pace of what is to be written
     * @return whether nothing can come of the promise any more; what it was may be tried again later
     */
    CompletionStage<Boolean> end(Replica zone, ReplicaPage.Item promise, @Nullable Replica target, Pace pace) {
        Placement.Holders holders = context.placement().holders(promise.key());
        if (holders.required() == holders.zones().size()) {
            // All of them have promised, so none has taken anything older since. Nor could the others write without the
            // one
            // that is filled.
            return CompletableFuture.completedStage(true);
        }
        return ZoneFill.patiently(
                        () -> zone.vote(promise.key()), found -> !(found instanceof Lookup.Unavailable), ZoneFill.TRIES)
                .thenCompose(found -> isFulfilled(promise.version(), found)
                        ? CompletableFuture.completedStage(true)
                        : overtake(promise.key(), target, pace));
    }

    private static boolean isFulfilled(Version promised, Lookup found) {
        return found instanceof Lookup.Hit hit
                && !promised.isNewerThan(hit.entry().version());
    }

    /**
     * Writes what {@code key} holds once more, above every promise.
     *
     * @param target as for {@link #end}
     */
    CompletionStage<Boolean> overtake(CacheKey key, @Nullable Replica target, Pace pace) {
        Work work = new Work(key, target);
        CompletableFuture<Boolean> mine = new CompletableFuture<>();
        CompletionStage<Boolean> other = ending.putIfAbsent(work, mine);
        if (other != null) {
            return other;
        }
        pace.take(1)
                .thenCompose(turned -> ZoneFill.patiently(() -> affirm(key, target), done -> done, ZoneFill.TRIES))
                .whenComplete((done, bug) -> {
                    ending.remove(work, mine);
                    if (bug != null) {
                        mine.completeExceptionally(bug);
                    } else {
                        mine.complete(done);
                    }
                });
        return mine;
    }

    private CompletionStage<Boolean> affirm(CacheKey key, @Nullable Replica target) {
        AtomicReference<@Nullable Entry> wrote = new AtomicReference<>();
        Placement.Holders holders = context.placement().holders(key);
        return QuorumChange.affirm(context, key, target == null ? holders : without(holders, target), wrote::set)
                .thenCompose(receipt -> {
                    // Refused: nothing is held, and enough zones have promised something newer.
                    boolean done = receipt.outcome() == Outcome.ACKNOWLEDGED || receipt.outcome() == Outcome.REFUSED;
                    Entry entry = wrote.get();
                    return done && target != null && entry != null && receipt.outcome() == Outcome.ACKNOWLEDGED
                            ? give(target, entry).thenApply(given -> note(key, given, receipt))
                            : CompletableFuture.completedStage(note(key, done, receipt));
                });
    }

    /**
     * Those that vote, and fewer than a majority where the one that is filled would be needed for it: so many that they meet each
     * majority that anything was acknowledged by, and each other. With the one that is filled, which gets what they wrote before it
     * votes, they are met by every majority.
     */
    private static Placement.Holders without(Placement.Holders holders, Replica target) {
        int all = holders.zones().size();
        return new Placement.Holders(
                holders.zones().stream().filter(zone -> zone != target).toList(),
                Math.max(all - holders.required() + 1, (all - 1) / 2 + 1));
    }

    private CompletionStage<Boolean> give(Replica target, Entry entry) {
        return ZoneFill.patiently(
                        () -> target.restorePromise(
                                entry.key(), entry.version(), Duration.ofMillis(context.keepMillis())),
                        kept -> kept,
                        ZoneFill.TRIES)
                .thenCompose(kept -> ZoneFill.patiently(
                                () -> target.restore(entry),
                                outcome -> !(outcome instanceof StoreOutcome.Unavailable),
                                ZoneFill.TRIES)
                        .thenApply(outcome -> kept
                                && (outcome instanceof StoreOutcome.Applied
                                        || outcome instanceof StoreOutcome.Superseded)));
    }

    private boolean note(CacheKey key, boolean done, Replicated receipt) {
        (done ? context.meters().affirmed : context.meters().notAffirmed).inc();
        if (!done) {
            LOG.info(
                    "a promise could not be ended, which is tried again cache={} outcome={} reason={}",
                    key.cache(),
                    receipt.outcome(),
                    receipt.detail());
        }
        return done;
    }
}
