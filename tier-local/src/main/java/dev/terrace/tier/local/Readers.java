package dev.terrace.tier.local;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that have read, each with its {@link ReadScratch}. Thread-safe. */
final class Readers {
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** More than one, so that those that have ended go sooner than others come; few, so that no reader has to wait for all of them to go. */
    private static final int FORGOTTEN_AT_ONCE = 4;

    /** Odd, so that the low bits of where threads begin to count go through all that there are. */
    private static final int START_STEP = 0x9E3779B9;

    private final AtomicInteger starts = new AtomicInteger();
    private final Set<Reference<? extends ReadScratch>> known = ConcurrentHashMap.newKeySet();
    private final ReferenceQueue<ReadScratch> ended = new ReferenceQueue<>();
    private final ThreadLocal<ReadScratch> scratch = ThreadLocal.withInitial(this::register);

    /** The calling thread's own. */
    ReadScratch mine() {
        return scratch.get();
    }

    /** In constant time: there may be a thread for every read. */
    ReadScratch register() {
        for (int i = 0; i < FORGOTTEN_AT_ONCE; i++) {
            Reference<? extends ReadScratch> gone = ended.poll();
            if (gone == null) {
                break;
            }
            known.remove(gone);
        }
        // Did they all begin with the same number, those that read once only would all be taken for the one in many
        // that counts.
        ReadScratch mine = new ReadScratch(starts.getAndAdd(START_STEP));
        known.add(new WeakReference<>(mine, ended));
        return mine;
    }

    /** How many are known, those included of which it is not yet known that they are gone. */
    int count() {
        return known.size();
    }

    /**
     * Returns when every read that began before the tier was closed has ended: a read takes microseconds and waits for nothing. False
     * when one has not ended after a long while.
     */
    boolean awaitLast() {
        long began = System.nanoTime();
        for (Reference<? extends ReadScratch> weak : known) {
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
