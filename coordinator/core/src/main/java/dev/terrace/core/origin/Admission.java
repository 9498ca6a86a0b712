package dev.terrace.core.origin;

import dev.terrace.replication.Timing;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Room for so many writes and bytes; who finds none waits in line, for a while. Thread-safe.
 */
final class Admission {
    private final int mostEntries;
    private final long mostBytes;
    private final long waitMillis;
    private final Timing timing;
    private final Deque<Asker> line = new ArrayDeque<>();
    private int entries;
    private long bytes;

    private record Asker(int entries, long bytes, CompletableFuture<Boolean> answer) {}

    Admission(int mostEntries, long mostBytes, long waitMillis, Timing timing) {
        this.mostEntries = mostEntries;
        this.mostBytes = mostBytes;
        this.waitMillis = waitMillis;
        this.timing = timing;
    }

    /** Takes room. Completes with false when there was none in time. */
    CompletableFuture<Boolean> take(int moreEntries, long moreBytes) {
        Asker asker = new Asker(moreEntries, moreBytes, new CompletableFuture<>());
        synchronized (this) {
            if (line.isEmpty() && fits(asker)) {
                add(asker);
                return CompletableFuture.completedFuture(true);
            }
            if (waitMillis == 0 || moreBytes > mostBytes) {
                return CompletableFuture.completedFuture(false);
            }
            line.add(asker);
        }
        timing.after(waitMillis, () -> giveUp(asker));
        return asker.answer;
    }

    private boolean fits(Asker asker) {
        // What needs no more than it gives back always fits: that is a write in place of a longer one.
        return (asker.entries <= 0 || entries + asker.entries <= mostEntries)
                && (asker.bytes <= 0 || bytes + asker.bytes <= mostBytes);
    }

    private void add(Asker asker) {
        entries += asker.entries;
        bytes += asker.bytes;
    }

    private void giveUp(Asker asker) {
        boolean waited;
        synchronized (this) {
            waited = line.remove(asker);
        }
        if (waited) {
            asker.answer.complete(false);
            give(0, 0);
        }
    }

    /** Gives room back. */
    void give(int fewerEntries, long fewerBytes) {
        List<Asker> admitted = new ArrayList<>();
        synchronized (this) {
            entries -= fewerEntries;
            bytes -= fewerBytes;
            for (Asker first = line.peek(); first != null && fits(first); first = line.peek()) {
                line.remove();
                add(first);
                admitted.add(first);
            }
        }
        admitted.forEach(asker -> asker.answer.complete(true));
    }

    /** Takes room whether there is any or not, for what is there already. */
    synchronized void force(int moreEntries, long moreBytes) {
        entries += moreEntries;
        bytes += moreBytes;
    }

    /** Nobody waits any longer. */
    void close() {
        List<Asker> left;
        synchronized (this) {
            left = new ArrayList<>(line);
            line.clear();
        }
        left.forEach(asker -> asker.answer.complete(false));
    }

    synchronized int entries() {
        return entries;
    }

    synchronized long bytes() {
        return bytes;
    }
}
