package dev.terrace.tier.local;

import java.util.concurrent.locks.ReentrantLock;

/** Locks for writers: those of one key share one. Readers take none. Whoever holds one takes no second, except {@link #lockAll}. */
final class Stripes {
    private static final int COUNT = 64;
    private static final int BITS = 6;

    private final ReentrantLock[] locks = new ReentrantLock[COUNT];

    Stripes() {
        for (int i = 0; i < COUNT; i++) {
            locks[i] = new ReentrantLock();
        }
    }

    /** The lock of the keys whose hash ends so. */
    ReentrantLock of(long low) {
        return locks[(int) (low >>> Long.SIZE - BITS)];
    }

    ReentrantLock any() {
        return locks[0];
    }

    /** Runs while no writer does. */
    void lockAll(Runnable alone) {
        for (ReentrantLock lock : locks) {
            lock.lock();
        }
        try {
            alone.run();
        } finally {
            for (ReentrantLock lock : locks) {
                lock.unlock();
            }
        }
    }
}
