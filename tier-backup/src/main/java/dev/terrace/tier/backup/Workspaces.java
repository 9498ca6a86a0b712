package dev.terrace.tier.backup;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A few {@link Workspace}s for threads that are not ours: what such a thread kept for itself would be native memory that nobody gives back when it ends.
 * Thread-safe.
 */
final class Workspaces implements AutoCloseable {
    private final Deque<Workspace> free = new ArrayDeque<>();
    private int yetToMake;
    private boolean closed;

    Workspaces(int most) {
        this.yetToMake = most;
    }

    /** One that {@link #giveBack} must get again; null when all are in use, or none is to be used any more. */
    synchronized @Nullable Workspace take() {
        if (closed) {
            return null;
        }
        Workspace known = free.poll();
        if (known == null && yetToMake > 0) {
            yetToMake--;
            return new Workspace();
        }
        return known;
    }

    synchronized void giveBack(Workspace used) {
        if (closed) {
            used.close();
        } else {
            free.push(used);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        free.forEach(Workspace::close);
        free.clear();
    }
}
