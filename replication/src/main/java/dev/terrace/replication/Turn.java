package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets one node at a time do a recurring piece of background work, by a conditional write of a reserved key over the same zones.
 * It saves work and nothing else: two nodes whose clocks disagree may both have the turn, and a node that cannot ask a majority
 * has none. Thread-safe.
 */
final class Turn {
    /** Users' caches cannot have a name that begins so. */
    static final String CACHE = "terrace.turns";

    private static final long KEEP_TURNS = 10;

    private final Context context;
    private final CacheKey key;
    private final long leaseMillis;

    /**
     * @param work names what is taken in turns
     * @param leaseMillis how long a node that says nothing more keeps the turn
     */
    Turn(Context context, String work, long leaseMillis) {
        this.context = context;
        this.key = CacheKey.of(CACHE, work);
        this.leaseMillis = leaseMillis;
    }

    /** Who has the turn. */
    enum Taken {
        /** This node. */
        BY_THIS,
        /** Another, or it is not due yet. */
        BY_ANOTHER,
        /** No majority could tell. */
        UNKNOWN
    }

    /** What lies in the zones: who has the turn until when, and when the next one is due. */
    private record Note(long node, long untilMillis, long dueMillis) {
        static @Nullable Note of(@Nullable Entry held) {
            if (held == null || !held.isValue()) {
                return null;
            }
            String[] parts = new String(held.payload(), StandardCharsets.US_ASCII).split(" ", -1);
            try {
                return parts.length != 3
                        ? null
                        : new Note(Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
            } catch (NumberFormatException notOurs) {
                return null;
            }
        }

        byte[] bytes() {
            return (node + " " + untilMillis + " " + dueMillis).getBytes(StandardCharsets.US_ASCII);
        }
    }

    /** Takes the turn, or keeps it. */
    CompletionStage<Taken> take() {
        return note(false, 0);
    }

    /** Gives the turn back; the next is due after {@code pauseMillis}. */
    CompletionStage<Taken> done(long pauseMillis) {
        return note(true, pauseMillis);
    }

    /** Keeps the turn by taking it again and again, until {@code needed} says no. */
    void keepWhile(BooleanSupplier needed) {
        context.timing().after(leaseMillis / 4, () -> {
            if (needed.getAsBoolean()) {
                take().thenAccept(taken -> keepWhile(needed));
            }
        });
    }

    private CompletionStage<Taken> note(boolean done, long pauseMillis) {
        long node = context.clock().node();
        return new QuorumChange(context, key, (held, version) -> {
                    long now = context.clock().millis();
                    Note known = Note.of(held);
                    boolean mine = known != null && known.node() == node && known.untilMillis() > now;
                    boolean free = known == null || known.untilMillis() <= now && known.dueMillis() <= now;
                    if (!mine && (done || !free)) {
                        return null;
                    }
                    Note next = done ? new Note(node, 0, now + pauseMillis) : new Note(node, now + leaseMillis, now);
                    return entry(version, now, next, now + KEEP_TURNS * (leaseMillis + pauseMillis));
                })
                .start()
                .result()
                .thenApply(receipt -> switch (receipt.outcome()) {
                    case ACKNOWLEDGED -> Taken.BY_THIS;
                    case REFUSED -> Taken.BY_ANOTHER;
                    case FAILED, UNKNOWN -> Taken.UNKNOWN;
                });
    }

    private Entry entry(Version version, long now, Note note, long untilMillis) {
        return new Entry(key, EntryKind.VALUE, version, now, untilMillis, untilMillis, List.of(), note.bytes());
    }
}
