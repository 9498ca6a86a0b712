package dev.terrace.testkit;

import dev.terrace.spi.Notice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A log of notices on the heap, which {@link HeapBackplane}s of several nodes share. Does what a log can do to its readers:
 * it is trimmed, lost and begun anew, refuses, or takes what it was given without saying so. Thread-safe.
 */
public final class HeapLog {
    private static final long FIRST_POSITIONS_APART = 1_000_000;

    private final Executor executor;
    private final List<HeapBackplane> nodes = new CopyOnWriteArrayList<>();
    private final List<Notice> kept = new ArrayList<>();
    private long first = 1;
    private long incarnation = 1;
    private boolean refusing;
    private boolean losingAnswers;

    /** A log that delivers on the thread that appends, or, after a cut, on the one that mends it. */
    public HeapLog() {
        this(Runnable::run);
    }

    /** A log that delivers on {@code executor}; in a simulation, one that runs tasks on virtual time. */
    public HeapLog(Executor executor) {
        this.executor = executor;
    }

    /** Opens it for one more node. */
    public HeapBackplane open() {
        HeapBackplane node = new HeapBackplane(this, executor);
        nodes.add(node);
        return node;
    }

    void forget(HeapBackplane node) {
        nodes.remove(node);
    }

    /** Appends as another program would: nodes hear it, nobody waits for it. */
    public long append(List<Notice> notices) {
        long last;
        synchronized (this) {
            kept.addAll(notices);
            last = lastPosition();
        }
        nodes.forEach(HeapBackplane::wake);
        return last;
    }

    /** The position, or null when the log did not take it. */
    @Nullable
    Long offer(List<Notice> notices) {
        boolean silent;
        synchronized (this) {
            if (refusing) {
                return null;
            }
            silent = losingAnswers;
        }
        long position = append(notices);
        return silent ? null : position;
    }

    /** Position of the newest notice; one below the first one's when there is none. */
    public synchronized long lastPosition() {
        return first + kept.size() - 1;
    }

    /** Forgets all but the newest {@code keep} notices. */
    public synchronized void trim(int keep) {
        int gone = Math.max(0, kept.size() - keep);
        kept.subList(0, gone).clear();
        first += gone;
    }

    /** Everything is lost and the log begins anew, as after a restart without persistence. */
    public void reset() {
        synchronized (this) {
            first = lastPosition() + FIRST_POSITIONS_APART;
            kept.clear();
            incarnation++;
        }
        nodes.forEach(HeapBackplane::wake);
    }

    /** While true, takes nothing: publishing answers {@link dev.terrace.spi.Backplane#NOT_KNOWN}. */
    public synchronized void refuse(boolean on) {
        refusing = on;
    }

    /** While true, takes everything and answers {@link dev.terrace.spi.Backplane#NOT_KNOWN} all the same. */
    public synchronized void loseAnswers(boolean on) {
        losingAnswers = on;
    }

    synchronized Place end() {
        return new Place(incarnation, lastPosition());
    }

    /** What follows {@code from}, at most {@code most} notices. */
    synchronized Part after(Place from, int most) {
        boolean anew = from.incarnation() != incarnation;
        long next = anew ? first : Math.max(first, from.position() + 1);
        int begin = (int) (next - first);
        int end = (int) Math.min(kept.size(), (long) begin + most);
        String gap = anew ? "the log began anew" : null;
        if (!anew && first > from.position() + 1) {
            gap = "the log was trimmed: " + (first - from.position() - 1) + " notices missed";
        }
        return new Part(gap, List.copyOf(kept.subList(begin, end)), new Place(incarnation, first + end - 1));
    }

    /** How far a reader is. */
    record Place(long incarnation, long position) {
        static Place parse(String text) {
            String[] parts = text.split(":", -1);
            return new Place(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
        }

        @Override
        public String toString() {
            return incarnation + ":" + position;
        }
    }

    /** A stretch of the log that ends at {@code end}. */
    record Part(@Nullable String gap, List<Notice> notices, Place end) {}
}
