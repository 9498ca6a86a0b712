package dev.terrace.tier.redis;

import dev.terrace.spi.Unavailability;
import java.util.List;
import org.redisson.client.RedisBusyException;
import org.redisson.client.RedisException;
import org.redisson.client.RedisNoReplicasException;
import org.redisson.client.RedisOutOfMemoryException;
import org.redisson.client.RedisReconnectedException;

/**
 * What a zone's errors mean to a quorum. Every cause given here but {@link Unavailability#TIMEOUT}, {@link
 * Unavailability#DISCONNECTED} and {@link Unavailability#CLOSED} says that the server answered and did nothing.
 */
final class ZoneFailures {
    /** Inside a script the server's error is wrapped in one of the script's, so the text is all there is. */
    private static final List<String> NO_ROOM = List.of("OOM command not allowed", "MISCONF ", "NOREPLICAS ");

    private ZoneFailures() {}

    /** True when the zone is not, or not any more, in the incarnation that was asked. */
    static boolean isFence(Throwable failure) {
        return Failures.isScriptMissing(failure) || text(failure).startsWith("FORGETFUL ");
    }

    /** True when a slot is on its way to another server, and its keys with it: later, soon, it is not. */
    static boolean isMoving(Throwable failure) {
        return text(failure).startsWith("TRYAGAIN ");
    }

    static Unavailability cause(Throwable failure) {
        if (isFence(failure)) {
            return Unavailability.FORGETFUL;
        }
        for (Throwable t = Failures.root(failure); t != null; t = t.getCause()) {
            String text = Failures.firstLine(String.valueOf(t.getMessage()));
            if (t instanceof RedisOutOfMemoryException
                    || t instanceof RedisNoReplicasException
                    || NO_ROOM.stream().anyMatch(text::contains)) {
                return Unavailability.STORAGE;
            }
            if (t instanceof RedisBusyException || text.startsWith("BUSY ")) {
                return Unavailability.OVERLOADED;
            }
        }
        Unavailability cause = Failures.cause(failure);
        return cause == Unavailability.ERROR && !isAnswer(Failures.root(failure)) ? Unavailability.DISCONNECTED : cause;
    }

    /**
     * True when the server has said no; anything else, an answer that cannot be read for one, leaves open whether it has done what
     * it was asked. Redisson gives a server's error no cause; its own it wraps.
     */
    private static boolean isAnswer(Throwable root) {
        return root instanceof RedisException
                && !(root instanceof RedisReconnectedException)
                && root.getCause() == null;
    }

    static String describe(Throwable failure) {
        return isFence(failure)
                ? "the zone may have forgotten what it acknowledged and awaits re-synchronisation: " + text(failure)
                : Failures.describe(failure);
    }

    private static String text(Throwable failure) {
        return Failures.firstLine(String.valueOf(Failures.root(failure).getMessage()));
    }
}
