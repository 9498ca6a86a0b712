package dev.terrace.testkit;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Resumable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One node's end of a {@link HeapLog}, with switches for what networks do to it. Everything lost is lost openly, as a real log
 * would show it, except by {@link #loseUnseen}. Thread-safe.
 */
public final class HeapBackplane implements Backplane, Resumable {
    private static final int MOST_AT_ONCE = 1_024;

    private final HeapLog log;
    private final Executor executor;
    private @Nullable BackplaneListener listener;
    private HeapLog.Place place;
    private HeapLog.Place heardUpTo;
    private long node;
    private boolean deaf;
    private boolean mute;
    private boolean closed;
    private boolean delivering;
    private int duplicates;
    private int unseen;
    private boolean resumed;
    private HeapLog.@Nullable Place replayUntil;

    HeapBackplane(HeapLog log, Executor executor) {
        this.log = log;
        this.executor = executor;
        this.place = log.end();
        this.heardUpTo = place;
    }

    @Override
    public String name() {
        return "log";
    }

    @Override
    public synchronized void start(long node, BackplaneListener listener) {
        if (this.listener != null) {
            throw new IllegalStateException("started already");
        }
        this.node = node;
        this.listener = listener;
        if (resumed) {
            replayUntil = log.end();
            wake();
        } else {
            this.place = log.end();
            this.heardUpTo = place;
        }
    }

    @Override
    public synchronized void resumeFrom(String bookmark) {
        place = HeapLog.Place.parse(bookmark);
        heardUpTo = place;
        resumed = true;
    }

    @Override
    public synchronized String bookmark() {
        return heardUpTo.toString();
    }

    @Override
    public CompletionStage<Long> publish(List<Notice> notices) {
        synchronized (this) {
            if (closed || mute) {
                return CompletableFuture.completedStage(NOT_KNOWN);
            }
        }
        Long position = log.offer(notices);
        return CompletableFuture.completedStage(position == null ? NOT_KNOWN : position);
    }

    /** Cuts this node off: it hears nothing, and what it publishes is not taken. */
    public synchronized void cut() {
        deaf = true;
        mute = true;
    }

    /** Delays: it hears nothing until {@link #mend}, while what it publishes is taken. */
    public synchronized void delay() {
        deaf = true;
    }

    /** Ends a cut or a delay: what was missed is heard now, or a gap if it is gone. */
    public void mend() {
        synchronized (this) {
            deaf = false;
            mute = false;
        }
        wake();
    }

    /** Delivers the next {@code times} deliveries twice. */
    public synchronized void duplicate(int times) {
        duplicates = times;
    }

    /** Loses the next {@code notices} without a gap, which no honest backplane does: for proving that a checker sees it. */
    public synchronized void loseUnseen(int notices) {
        unseen = notices;
    }

    /** There is something to hear. */
    void wake() {
        try {
            executor.execute(this::deliver);
        } catch (RejectedExecutionException closing) {
            close();
        }
    }

    private void deliver() {
        synchronized (this) {
            if (delivering) {
                return; // whoever delivers sees to it, also when that is this very thread, further down its stack
            }
            delivering = true;
        }
        boolean finished = false;
        try {
            while (true) {
                Delivery next = next();
                if (next == null) {
                    finished = true;
                    return;
                }
                next.run();
                synchronized (this) {
                    heardUpTo = place;
                }
            }
        } finally {
            if (!finished) {
                synchronized (this) {
                    delivering = false;
                }
            }
        }
    }

    /** What to deliver now; null ends the delivering. */
    private synchronized @Nullable Delivery next() {
        BackplaneListener hearing = listener;
        if (hearing == null || deaf || closed) {
            delivering = false;
            return null;
        }
        HeapLog.Part part = log.after(place, MOST_AT_ONCE);
        if (part.gap() == null && part.end().equals(place)) {
            delivering = false;
            return null;
        }
        place = part.end();
        List<Notice> all = part.notices();
        HeapLog.Place until = replayUntil;
        boolean replays = until != null && place.position() <= until.position();
        int lost = Math.min(unseen, all.size());
        unseen -= lost;
        List<Notice> heard = all.subList(lost, all.size()).stream()
                .filter(notice -> notice.node() != node || notice instanceof Notice.Beat || replays)
                .toList();
        int times = duplicates > 0 ? 2 : 1;
        duplicates = Math.max(0, duplicates - 1);
        return new Delivery(hearing, part.gap(), heard, place.position(), times);
    }

    private record Delivery(
            BackplaneListener listener, @Nullable String gap, List<Notice> notices, long position, int times) {
        void run() {
            if (gap != null) {
                listener.gap(gap);
            }
            for (int i = 0; i < times; i++) {
                listener.heard(notices, position);
            }
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        log.forget(this);
    }
}
