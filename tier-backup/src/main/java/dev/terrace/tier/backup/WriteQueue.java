package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Writes between callers and the writer thread, bounded by number and by bytes of envelopes, those the writer is busy
 * with included. Never blocks who offers: a full queue says so. Thread-safe.
 *
 * <p>Unconditional writes can be looked up while they wait, so that their writer reads them back at once.
 */
final class WriteQueue {
    /** Whether the queue took a write. */
    enum Admission {
        /** It did. */
        TAKEN,
        /** One of its bounds is reached. */
        FULL,
        /** It takes no more. */
        CLOSED
    }

    private final int mostEntries;
    private final long mostBytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final ArrayDeque<Write> waiting = new ArrayDeque<>();
    private final ConcurrentHashMap<CacheKey, Entry> newest = new ConcurrentHashMap<>();
    private boolean closed;
    private final AtomicInteger entries = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();

    WriteQueue(int mostEntries, long mostBytes) {
        this.mostEntries = mostEntries;
        this.mostBytes = mostBytes;
    }

    Admission offer(Write write) {
        lock.lock();
        try {
            if (closed) {
                return Admission.CLOSED;
            }
            if (entries.get() >= mostEntries || bytes.get() + write.bytes() > mostBytes) {
                return Admission.FULL;
            }
            entries.incrementAndGet();
            bytes.addAndGet(write.bytes());
            waiting.add(write);
            if (write.condition() instanceof WriteCondition.IfNewer) {
                newest.merge(
                        write.entry().key(),
                        write.entry(),
                        (before, now) -> now.version().isNewerThan(before.version()) ? now : before);
            }
            arrived.signal();
            return Admission.TAKEN;
        } finally {
            lock.unlock();
        }
    }

    /** The newest unconditional write to {@code key} that is not stored yet, or null. */
    @Nullable
    Entry waitingFor(CacheKey key) {
        return newest.get(key);
    }

    /** Takes what is there, up to the given bounds, waiting for the first one at most this long. */
    List<Write> take(int most, long mostBytesAtOnce, long waitNanos) throws InterruptedException {
        lock.lock();
        try {
            long left = waitNanos;
            while (waiting.isEmpty() && !closed && left > 0) {
                left = arrived.awaitNanos(left);
            }
            return drain(most, mostBytesAtOnce);
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #take}, without waiting. */
    List<Write> poll(int most, long mostBytesAtOnce) {
        lock.lock();
        try {
            return drain(most, mostBytesAtOnce);
        } finally {
            lock.unlock();
        }
    }

    private List<Write> drain(int most, long mostBytesAtOnce) {
        // All the room at once: a write that was removed and could not be added would be nobody's.
        List<Write> taken = new ArrayList<>(Math.min(most, waiting.size()));
        long size = 0;
        Write next = waiting.peek();
        while (next != null && taken.size() < most && (size == 0 || size + next.bytes() <= mostBytesAtOnce)) {
            taken.add(waiting.remove());
            size += next.bytes();
            next = waiting.peek();
        }
        return taken;
    }

    /** Takes all that is left after closing. */
    List<Write> takeRest() {
        lock.lock();
        try {
            List<Write> rest = List.copyOf(waiting);
            waiting.clear();
            return rest;
        } finally {
            lock.unlock();
        }
    }

    /** Gives the room of decided writes back. */
    void release(List<Write> done) {
        lock.lock();
        try {
            for (Write write : done) {
                entries.decrementAndGet();
                bytes.addAndGet(-write.bytes());
                newest.computeIfPresent(write.entry().key(), (key, held) -> held.equals(write.entry()) ? null : held);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more; what waits can still be taken. */
    void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean isDrained() {
        lock.lock();
        try {
            return closed && waiting.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    int entries() {
        return entries.get();
    }

    long bytes() {
        return bytes.get();
    }
}
