package dev.terrace.tier.local;

import dev.terrace.spi.Version;
import java.util.concurrent.atomic.LongAccumulator;

/** Gives what an earlier process left its slots in this one, as long as there is room and it is in time. Thread-safe. */
final class Adoption implements FileSegment.Adopter {
    private final Shelf shelf;
    private final Doubts doubts;
    private final long nowMillis;
    private final long ttlMillis;
    private final long latestMillis;
    private final Version forgottenTags;
    private final LongAccumulator newestClock = new LongAccumulator(Math::max, 0);

    /**
     * For one start.
     *
     * @param maxDriftMillis how far ahead of this clock a version may be
     * @param forgottenTags which tags were invalidated up to this version is not known
     */
    Adoption(Shelf shelf, Doubts doubts, long ttlMillis, long maxDriftMillis, Version forgottenTags) {
        this.shelf = shelf;
        this.doubts = doubts;
        this.nowMillis = shelf.clock.millis();
        this.ttlMillis = ttlMillis;
        this.latestMillis = nowMillis + maxDriftMillis;
        this.forgottenTags = forgottenTags;
    }

    /** At least as new as all that was adopted. */
    Version newest() {
        return new Version(newestClock.get(), -1);
    }

    @Override
    public Groups groups() {
        return shelf.groups;
    }

    @Override
    public long latestDeadline() {
        return nowMillis + ttlMillis;
    }

    /** A version from further ahead is one from before the clock went back: what this process writes would be older, and never take its place. */
    @Override
    public boolean mayStay(long versionClock, boolean tagged, long deadlineMillis) {
        return deadlineMillis > nowMillis
                && new Version(versionClock, 0).epochMillis() <= latestMillis
                && !(tagged && Long.compareUnsigned(versionClock, forgottenTags.clock()) <= 0);
    }

    /** All of a segment at once: threads that take in several meet here, and nowhere else. */
    @Override
    public synchronized void adopt(Harvest found) {
        HashKey key = new HashKey();
        for (int i = 0; i < found.count(); i++) {
            if (found.isWanted(i)) {
                found.keyOf(i, key);
                found.give(i, slotFor(key, found.groupOf(i), found.lengthOf(i), found.deadlineOf(i)));
            }
        }
        newestClock.accumulate(found.newestClock());
    }

    private int slotFor(HashKey key, int group, int length, long deadlineMillis) {
        int charge = shelf.shape.charge(length + StoredValue.PREFIX_BYTES);
        if (shelf.budget.tryReserve(group, 0, charge) != Budget.Lack.NOTHING) {
            return StoredValue.NO_SLOT;
        }
        int slot = shelf.table.allocate(key.high, key.low, charge, shelf.secondsAt(deadlineMillis), group);
        if (slot < 0) {
            shelf.budget.undo(group, 0, charge);
            return StoredValue.NO_SLOT;
        }
        doubts.set(slot);
        return slot;
    }

    @Override
    public synchronized void giveBack(Harvest found) {
        for (int i = 0; i < found.count(); i++) {
            int slot = found.slotOf(i);
            if (slot != StoredValue.NO_SLOT) {
                int charge = shelf.table.chargeOf(slot);
                shelf.table.release(slot);
                shelf.budget.release(found.groupOf(i), charge);
                doubts.clear(slot);
            }
        }
    }
}
