package dev.terrace.tier.local;

/**
 * What one thread needs for a read, and its sign that a read is under way: closing waits for the sign to go down before
 * the memory is given back.
 */
final class ReadScratch {
    final HashKey key = new HashKey();
    final StoredValue value = new StoredValue();
    final long[] hash = new long[2];

    /** How many hits this thread had; wraps around. */
    int reads;

    /** Volatile, against the tier's volatile {@code closed}: one of the two always sees the other. */
    private volatile boolean busy;

    void enter() {
        busy = true;
    }

    void leave() {
        busy = false;
    }

    boolean isBusy() {
        return busy;
    }
}
