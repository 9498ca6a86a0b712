package dev.terrace.tier.local;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.concurrent.atomic.LongAccumulator;

/** Gives what an earlier process left its slots in this one, as long as there is room and it is in time. Not thread-safe. */
final class Adoption implements FileSegment.Adopter {
    private final Shelf shelf;
    private final Doubts doubts;
    private final long nowMillis;
    private final long ttlMillis;
    private final long latestMillis;
    private final LongAccumulator newestClock = new LongAccumulator(Math::max, 0);

    /** @param maxDriftMillis how far ahead of this clock a version may be */
    Adoption(Shelf shelf, Doubts doubts, long ttlMillis, long maxDriftMillis) {
        this.shelf = shelf;
        this.doubts = doubts;
        this.nowMillis = shelf.clock.millis();
        this.ttlMillis = ttlMillis;
        this.latestMillis = nowMillis + maxDriftMillis;
    }

    /** At least as new as all that was adopted. */
    Version newest() {
        return new Version(newestClock.get(), -1);
    }

    @Override
    public long latestDeadline() {
        return nowMillis + ttlMillis;
    }

    @Override
    public int adopt(HashKey key, CacheKey name, long versionClock, int length, long deadlineMillis) {
        if (new Version(versionClock, 0).epochMillis() > latestMillis) {
            // The clock went back. What this process writes would be older, and never take its place.
            return StoredValue.NO_SLOT;
        }
        int group = shelf.groups.of(name);
        int charge = shelf.shape.charge(length + StoredValue.PREFIX_BYTES);
        if (deadlineMillis <= nowMillis || shelf.budget.tryReserve(group, 0, charge) != Budget.Lack.NOTHING) {
            return StoredValue.NO_SLOT;
        }
        int slot = shelf.table.allocate(key.high, key.low, charge, shelf.secondsAt(deadlineMillis), group);
        if (slot < 0) {
            shelf.budget.release(group, charge);
            return StoredValue.NO_SLOT;
        }
        doubts.set(slot);
        newestClock.accumulate(versionClock);
        return slot;
    }

    @Override
    public void giveBack(int slot) {
        if (shelf.table.exists(slot) && shelf.table.isResident(slot)) {
            int charge = shelf.table.chargeOf(slot);
            int group = shelf.table.groupOf(slot);
            shelf.table.release(slot);
            shelf.budget.release(group, charge);
            doubts.clear(slot);
        }
    }

    @Override
    public int mark() {
        return shelf.table.highWater();
    }

    @Override
    public void rollBack(int mark) {
        for (int slot = mark; slot < shelf.table.highWater(); slot++) {
            giveBack(slot);
        }
    }
}
