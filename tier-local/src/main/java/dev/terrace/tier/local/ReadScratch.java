package dev.terrace.tier.local;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What one thread needs for a read, and its sign that a read is under way: closing waits for the sign to go down before
 * the memory is given back.
 */
final class ReadScratch {
    final HashKey key = new HashKey();
    final StoredValue value = new StoredValue();
    final long[] hash = new long[2];

    /** For what a write finds held; its array stays, unless it is large. */
    final StoredValue held = new StoredValue();

    /** Counted up by one with each hit; wraps around. */
    int reads;

    private static final VarHandle BUSY;

    static {
        try {
            BUSY = MethodHandles.lookup().findVarHandle(ReadScratch.class, "busy", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Volatile, against the tier's volatile {@code closed}: one of the two always sees the other. */
    private volatile boolean busy;

    /** @param reads from where it counts */
    ReadScratch(int reads) {
        this.reads = reads;
    }

    void enter() {
        busy = true;
    }

    /** The caller has the envelope's array, if it needs it: here it would stay for as long as the thread, however large. */
    void leave() {
        value.release();
        // Nothing that comes later has to wait until others see it.
        BUSY.setRelease(this, false);
    }

    boolean isBusy() {
        return busy;
    }
}
