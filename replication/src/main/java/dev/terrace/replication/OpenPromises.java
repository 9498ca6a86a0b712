package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.Replicated.Outcome;
import dev.terrace.spi.Version;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends promises above which a zone holds nothing yet: an acceptance may still be on its way to it, of a conditional write that has
 * not seen what zones took that promised nothing, and what is copied from those. What the key holds is written once more by a conditional write of its
 * own, so that a majority of the zones that vote has something newer than whatever was promised. Thread-safe.
 */
final class OpenPromises {
    private static final Logger LOG = LoggerFactory.getLogger(OpenPromises.class);

    private final Context context;

    /** Under way, so that walks of several zones that meet the same key at the same time do not compete. */
    private final Map<CacheKey, CompletionStage<Boolean>> ending = new ConcurrentHashMap<>();

    OpenPromises(Context context) {
        this.context = context;
    }

    /**
     * Looks whether {@code zone} holds what it has promised, or something newer, and sees to it that this does not matter where it
     * does not. Tries a few times.
     *
     * @param promise as found in a page of the zone
     * @param pace of what is to be written
     * @return whether nothing can come of the promise any more; what it was may be tried again later
     */
    CompletionStage<Boolean> end(Replica zone, ReplicaPage.Item promise, Pace pace) {
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
                        : once(promise.key(), pace));
    }

    private static boolean isFulfilled(Version promised, @Nullable Lookup found) {
        return found instanceof Lookup.Hit hit
                && !promised.isNewerThan(hit.entry().version());
    }

    private CompletionStage<Boolean> once(CacheKey key, Pace pace) {
        CompletableFuture<Boolean> mine = new CompletableFuture<>();
        CompletionStage<Boolean> other = ending.putIfAbsent(key, mine);
        if (other != null) {
            return other;
        }
        pace.take(1)
                .thenCompose(turned -> ZoneFill.patiently(() -> affirm(key), done -> done, ZoneFill.TRIES))
                .whenComplete((done, bug) -> {
                    ending.remove(key, mine);
                    if (bug != null) {
                        mine.completeExceptionally(bug);
                    } else {
                        mine.complete(done);
                    }
                });
        return mine;
    }

    private CompletionStage<Boolean> affirm(CacheKey key) {
        return QuorumChange.affirm(context, key).thenApply(receipt -> {
            // Refused: nothing is held, and a majority has promised something newer.
            boolean done = receipt.outcome() == Outcome.ACKNOWLEDGED || receipt.outcome() == Outcome.REFUSED;
            (done ? context.meters().affirmed : context.meters().notAffirmed).inc();
            if (!done) {
                LOG.info(
                        "a promise could not be ended, which is tried again cache={} reason={}",
                        key.cache(),
                        receipt.detail());
            }
            return done;
        });
    }
}
