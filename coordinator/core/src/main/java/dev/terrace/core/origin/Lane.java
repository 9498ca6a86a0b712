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
    final String cache;
    final TreeSet<Waiting> due = new TreeSet<>();
    int running;
    int failuresInRow;
    long pausedUntilMillis;

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
}
