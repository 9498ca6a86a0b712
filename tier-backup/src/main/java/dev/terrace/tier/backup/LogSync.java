package dev.terrace.tier.backup;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the log brought to the disk again and again, on a thread of its own: a disk that is busy with the files of a snapshot or a merge takes its
 * time, and writes need not wait for it. Only when one sync takes longer than a bound are they held back, so that what a power failure can take
 * stays bounded, too. Thread-safe.
 */
final class LogSync {
    private static final Logger LOG = LoggerFactory.getLogger(LogSync.class);
    private static final long END_MILLIS = 5_000;

    /** Brings the log to the disk. */
    interface Step {
        void sync() throws PartitionedStore.ClosedStore;
    }

    private final Step step;
    private final long everyMillis;
    private final long longestNanos;
    private final Thread thread;
    private boolean closing;
    private boolean underWay;
    private long begunNanos;

    /**
     * Does not start it.
     *
     * @param everyMillis from the end of one sync to the beginning of the next
     * @param longestMillis how long one may take before writes wait for it
     */
    LogSync(Step step, long everyMillis, long longestMillis) {
        this.step = step;
        this.everyMillis = everyMillis;
        this.longestNanos = TimeUnit.MILLISECONDS.toNanos(longestMillis);
        this.thread = new Thread(this::run, "terrace-l3-log");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (awaitNext()) {
                try {
                    step.sync();
                } catch (RuntimeException | Error e) {
                    // Without this thread nothing would be brought to the disk any more, and nobody would say so.
                    LOG.error("syncing the backup's log met a bug", e);
                } finally {
                    ended();
                }
            }
        } catch (PartitionedStore.ClosedStore e) {
            LOG.debug("backup was closed before its log was synced");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Begins the next one when it is time; returns false when there is to be none. */
    private synchronized boolean awaitNext() throws InterruptedException {
        long due = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(everyMillis);
        for (long left = everyMillis; !closing && left > 0; left = millisUntil(due)) {
            wait(left);
        }
        underWay = !closing;
        begunNanos = System.nanoTime();
        return underWay;
    }

    private static long millisUntil(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos - System.nanoTime());
    }

    private synchronized void ended() {
        underWay = false;
        notifyAll();
    }

    /** Returns at once, unless the disk is far behind: then when it no longer is. */
    synchronized void holdBack() throws InterruptedException {
        while (underWay && System.nanoTime() - begunNanos > longestNanos) {
            wait(everyMillis);
        }
    }

    /** Ends it. One that is under way is waited for, a while; returns whether none is any more. */
    boolean end() {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        return ThreadEnd.await(thread, END_MILLIS);
    }
}
