package dev.terrace.core.origin;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeSet;

/**
 * What waits of one cache. While its origin fails, one call at a time goes out, after a pause that grows: a dead origin is not stormed by
 * the retries of everything that waits for it. Guarded by {@link WriteBehind}'s lock.
 */
final class Lane {
    /** An origin that fails now and then is told of so often at most; the metrics tell of every failure. */
    static final long QUIET_MILLIS = 10_000;

    final String cache;
    final TreeSet<Waiting> due = new TreeSet<>();
    int running;
    int failuresInRow;
    long pausedUntilMillis;
    private boolean told;
    private long toldMillis;

    Lane(String cache) {
        this.cache = cache;
    }

    boolean isFailing() {
        return failuresInRow > 0;
    }

    /** When its next call may go out; {@link Long#MAX_VALUE} when only the end of one can say. */
    long nextMillis() {
        if (due.isEmpty() || isFailing() && running > 0) {
            return Long.MAX_VALUE;
        }
        return Math.max(due.first().dueMillis, pausedUntilMillis);
    }

    /** Takes what may go out in one call now. */
    List<Waiting> take(long nowMillis, int most) {
        List<Waiting> taken = new ArrayList<>();
        Iterator<Waiting> first = due.iterator();
        while (taken.size() < most && first.hasNext()) {
            Waiting next = first.next();
            if (next.dueMillis > nowMillis) {
                break;
            }
            first.remove();
            taken.add(next);
        }
        return taken;
    }

    void succeeded() {
        failuresInRow = 0;
        pausedUntilMillis = 0;
    }

    void failed(long untilMillis) {
        failuresInRow++;
        pausedUntilMillis = untilMillis;
    }

    /** Whether people are to be told that its origin fails: once for an outage, and not of every single failure. */
    boolean tellsOfFailure(long nowMillis) {
        boolean tells = !told && (toldMillis == 0 || Math.abs(nowMillis - toldMillis) >= QUIET_MILLIS);
        if (tells) {
            told = true;
            toldMillis = nowMillis;
        }
        return tells;
    }

    /** Whether they are to be told that it works: if they believe that it does not. */
    boolean tellsOfSuccess() {
        boolean tells = told;
        told = false;
        return tells;
    }
}
