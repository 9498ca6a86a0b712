package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replicated.Outcome;
import dev.terrace.spi.ReplicatedStore.Change;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a change of the zones to its end, as far as one node sees it. It asks the new zones too from the moment when all that join
 * vote; from then on a complete round of comparing, by any node, shows that everything is where it will be. A node that
 * begins to ask the new zones says so in the zones, and only rounds begun after that count: what a node wrote before, to the
 * old zones alone, is found by them. A node that starts looks for that first, because others may ask the new zones alone by now.
 * Thread-safe.
 */
final class Moving {
    private static final Logger LOG = LoggerFactory.getLogger(Moving.class);
    private static final String MOVING = "moving ";
    private static final String MOVED = "moved ";
    private static final long KEEP_MILLIS = 30L * 24 * 3_600_000;
    private static final long SOON_MILLIS = 20;

    private final Context context;
    private final Placement placement;
    private final Predicate<Replica> votes;
    private final long everyMillis;
    private final CacheKey key;
    private boolean told;
    private volatile boolean closed;

    /** How far it is. */
    enum Stage {
        /** No zone joins or leaves. */
        NONE(0),
        /** Zones that join do not vote yet. */
        FILLING(1),
        /** Both are asked; keys move. */
        MOVING(2),
        /** Everything is where it will be; the leaving zones may go, when all nodes say so. */
        MOVED(3);

        /** As the metric shows it. */
        final int figure;

        Stage(int figure) {
            this.figure = figure;
        }
    }

    /**
     * @param votes whether a zone does
     * @param everyMillis how often to look
     */
    Moving(Context context, Predicate<Replica> votes, long everyMillis) {
        this.context = context;
        this.placement = context.placement();
        this.votes = votes;
        this.everyMillis = everyMillis;
        // One for all changes: what is left of an earlier one must not be taken for this one's.
        this.key = CacheKey.of(Turn.CACHE, "moved");
    }

    Moving start() {
        if (placement.isMoving()) {
            context.timing().after(0, this::look);
        }
        return this;
    }

    void close() {
        closed = true;
    }

    Stage stage() {
        if (!placement.isMoving()) {
            return Stage.NONE;
        }
        if (placement.isUndecided() || !placement.isJoint()) {
            return Stage.FILLING;
        }
        return placement.isMoved() ? Stage.MOVED : Stage.MOVING;
    }

    private void look() {
        if (closed) {
            return;
        }
        act().whenComplete((done, bug) -> {
            if (bug != null) {
                LOG.error("following the change of the zones failed", bug);
            }
            context.timing().after(placement.isUndecided() ? SOON_MILLIS : everyMillis, this::look);
        });
    }

    /**
     * Whether any node asks the new zones by now. As long as none has said so, none asks the new zones alone, and a majority of the old
     * ones is enough; what was said is in a majority of them.
     */
    private CompletionStage<Void> decide() {
        Placement.Holders before = placement.before(key);
        List<CompletableFuture<Lookup>> votes = before.zones().stream()
                .map(zone -> zone.vote(key).exceptionally(QuorumRead::bug).toCompletableFuture())
                .toList();
        return CompletableFuture.allOf(votes.toArray(CompletableFuture[]::new)).thenAccept(done -> {
            List<Lookup> told = votes.stream().map(CompletableFuture::join).toList();
            long answered = told.stream()
                    .filter(vote -> !(vote instanceof Lookup.Unavailable))
                    .count();
            if (told.stream().anyMatch(vote -> vote instanceof Lookup.Hit hit && isOurs(hit.entry()))) {
                placement.join();
                LOG.info("the change of the zones goes on transition={}", placement.transition());
            } else if (answered >= before.required()) {
                placement.apart();
            }
        });
    }

    private CompletionStage<Void> act() {
        if (placement.isUndecided()) {
            if (!context.is(Mutation.RESTARTED_NODES_ASK_OLD_ZONES)) {
                return decide();
            }
            placement.apart();
        }
        if (!placement.isJoint()) {
            if (placement.all().stream().filter(placement::isJoining).allMatch(votes)) {
                placement.join();
                LOG.info("zones that join vote, keys are moving transition={}", placement.transition());
                CompletableFuture<Void> ended = new CompletableFuture<>();
                // Until what began before has ended.
                context.timing().after(context.deadlineMillis() + 1, () -> ended.complete(null));
                return ended;
            }
            return CompletableFuture.completedStage(null);
        }
        if (!told) {
            return write((held, version) -> note(version, MOVING)).thenAccept(written -> told = written);
        }
        return mark().thenAccept(mark -> {
            boolean now = mark != null && isMoved(mark);
            if (now != placement.isMoved() && mark != null) {
                placement.moved(now);
                LOG.info("zones moved={} transition={}", now, placement.transition());
            }
        });
    }

    private boolean isMoved(Entry entry) {
        return text(entry).equals(MOVED + placement.transition());
    }

    private boolean isOurs(Entry entry) {
        return isMoved(entry) || text(entry).equals(MOVING + placement.transition());
    }

    private static String text(Entry entry) {
        return new String(entry.payload(), StandardCharsets.UTF_8);
    }

    /** What a round that begins now must find again at its end; null when it does not count. */
    CompletionStage<@Nullable Entry> mark() {
        return new QuorumRead(context, key)
                .start()
                .result()
                .thenApply(
                        found -> found instanceof Lookup.Hit hit && told && isOurs(hit.entry()) ? hit.entry() : null);
    }

    /** A round was complete that began after {@code mark} was read. */
    CompletionStage<Boolean> complete(Entry mark) {
        return write((held, version) ->
                held != null && held.version().equals(mark.version()) && !isMoved(held) ? note(version, MOVED) : null);
    }

    private CompletionStage<Boolean> write(Change change) {
        return new QuorumChange(context, key, change)
                .start()
                .result()
                .thenApply(receipt -> receipt.outcome() == Outcome.ACKNOWLEDGED);
    }

    private Entry note(Version version, String stage) {
        byte[] text = (stage + placement.transition()).getBytes(StandardCharsets.UTF_8);
        long now = context.clock().millis();
        long until = now + KEEP_MILLIS;
        return new Entry(key, EntryKind.VALUE, version, now, until, until, List.of(), text);
    }
}
