package dev.terrace.tier.local;

import java.util.random.RandomGenerator;

/** Walks over the slots that give space back: what expired, all, or a share. Thread-safe. */
final class Clearing {
    private final Shelf shelf;

    Clearing(Shelf shelf) {
        this.shelf = shelf;
    }

    /** One past the last slot a walk has to look at. */
    int end() {
        return shelf.table.highWater();
    }

    /**
     * Frees slots whose time is over, from {@code from} on, at most {@code count}.
     *
     * @throws RuntimeException at the end, the first of what kept a slot from being freed
     */
    void expired(int from, int count) {
        int nowSeconds = shelf.secondsNow();
        int end = (int) Math.min((long) from + count, end());
        RuntimeException kept = null;
        for (int slot = from; slot < end && !shelf.isClosed(); slot++) {
            if (shelf.table.isExpired(slot, nowSeconds)) {
                try {
                    shelf.removeSlot(slot, EvictionCause.EXPIRED);
                } catch (RuntimeException unreadable) {
                    shelf.counters.errors.inc();
                    kept = kept == null ? unreadable : kept;
                }
            }
        }
        if (kept != null) {
            throw kept;
        }
    }

    /**
     * Frees all slots.
     *
     * @throws IllegalStateException at the end, when some could not be
     */
    void all() {
        int end = end();
        IllegalStateException failed = null;
        for (int slot = 0; slot < end && !shelf.isClosed(); slot++) {
            try {
                if (shelf.table.isResident(slot)) {
                    shelf.removeSlot(slot, EvictionCause.CLEARED);
                }
            } catch (IllegalStateException unreadable) {
                failed = unreadable;
            }
        }
        if (failed != null) {
            shelf.counters.errors.inc();
            throw failed;
        }
    }

    /** Frees about so large a share of all slots; how many. */
    long share(double share, RandomGenerator random) {
        long evicted = 0;
        int end = end();
        for (int slot = 0; slot < end && !shelf.isClosed(); slot++) {
            if (shelf.table.isResident(slot)
                    && random.nextDouble() < share
                    && shelf.removeSlot(slot, EvictionCause.SIZE)) {
                evicted++;
            }
        }
        return evicted;
    }
}
