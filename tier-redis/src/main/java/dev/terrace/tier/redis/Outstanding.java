package dev.terrace.tier.redis;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what waits for one server, and says when that is enough: a server that does not answer must not collect commands, and the
 * values in them, for as long as their callers wait. Each call may overshoot by itself, so that none is too large ever to be let
 * in. Thread-safe.
 */
final class Outstanding {
    /** A server that answers is never asked by so many at once. */
    static final int MOST_COMMANDS = 5_000;

    static final long MOST_BYTES = 64L * 1024 * 1024;

    private final AtomicInteger commands = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();

    /** False when enough waits already; true takes the place, until {@link #leave}. */
    boolean enter(int moreCommands, long moreBytes) {
        int before = commands.getAndAdd(moreCommands);
        long bytesBefore = bytes.getAndAdd(moreBytes);
        if (before < MOST_COMMANDS && bytesBefore < MOST_BYTES) {
            return true;
        }
        leave(moreCommands, moreBytes);
        return false;
    }

    void leave(int fewerCommands, long fewerBytes) {
        commands.addAndGet(-fewerCommands);
        bytes.addAndGet(-fewerBytes);
    }

    int commands() {
        return commands.get();
    }

    long bytes() {
        return bytes.get();
    }

    OverloadedException refusal() {
        return new OverloadedException("not sent: " + commands() + " commands of " + bytes()
                + " bytes wait for this server already; most are " + MOST_COMMANDS + " and " + MOST_BYTES);
    }
}
