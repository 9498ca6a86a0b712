package dev.terrace.tier.backup;

import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps native memory from being freed while somebody uses it: RocksDB crashes the process when it is touched after closing, or when a dropped handle is used.
 * Whoever uses it {@linkplain #enter enters} before and {@linkplain #leave leaves} after; what is freed is freed while nobody is inside. Entering twice is
 * allowed. Thread-safe.
 */
final class NativeGuard {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /** Waits while something is freed. */
    void enter() throws ClosedStore {
        lock.readLock().lock();
        if (closed) {
            lock.readLock().unlock();
            throw new ClosedStore();
        }
    }

    /** Enters if that takes no waiting and it is not closed. Returns whether it did. */
    boolean tryEnter() {
        if (!lock.readLock().tryLock()) {
            return false;
        }
        if (closed) {
            lock.readLock().unlock();
            return false;
        }
        return true;
    }

    /** By the thread that has entered. */
    void leave() {
        lock.readLock().unlock();
    }

    /** Frees something that nobody finds any more who enters from now on; waits for all who are inside. */
    void free(Runnable freeing) {
        lock.writeLock().lock();
        try {
            freeing.run();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Frees everything, waiting at most this long for those inside; from then on nobody enters. Returns whether it did. Idempotent. */
    boolean close(long waitMillis, Runnable freeing) {
        if (!lockWithin(waitMillis)) {
            return false;
        }
        try {
            if (!closed) {
                closed = true;
                freeing.run();
            }
            return true;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private boolean lockWithin(long waitMillis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return lock.writeLock().tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true; // The wait is short and leaving the database open would be worse.
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
