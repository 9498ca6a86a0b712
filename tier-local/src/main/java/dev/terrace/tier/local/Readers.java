package dev.terrace.tier.local;

import java.lang.ref.WeakReference;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** The threads that have read, each with its {@link ReadScratch}. Thread-safe. */
final class Readers {
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Queue<WeakReference<ReadScratch>> known = new ConcurrentLinkedQueue<>();
    private final ThreadLocal<ReadScratch> scratch = ThreadLocal.withInitial(this::register);

    /** The calling thread's own. */
    ReadScratch mine() {
        return scratch.get();
    }

    private ReadScratch register() {
        ReadScratch mine = new ReadScratch();
        known.removeIf(reader -> reader.get() == null);
        known.add(new WeakReference<>(mine));
        return mine;
    }

    /**
     * Returns when every read that began before the tier was closed has ended: a read takes microseconds and waits for nothing. False
     * when one has not ended after a long while.
     */
    boolean awaitLast() {
        long began = System.nanoTime();
        for (WeakReference<ReadScratch> weak : known) {
            ReadScratch reader = weak.get();
            while (reader != null && reader.isBusy()) {
                if (System.nanoTime() - began > MOST_NANOS) {
                    return false;
                }
                Thread.onSpinWait();
            }
        }
        return true;
    }
}
