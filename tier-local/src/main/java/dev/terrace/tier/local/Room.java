package dev.terrace.tier.local;

import dev.terrace.tier.local.policy.Eviction;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes room for a write, by entries and by bytes, of all and within shares. Who holds a stripe never waits for another. Who goes is {@link
 * Eviction}'s business, among those whom {@link Budget} lets go.
 */
final class Room {
    private static final int MOST_EVICTIONS_PER_WRITE = 1 << 20;

    /** A part of the map that is full gives up one in so many of its bytes at least. */
    private static final int PARTS_PER_MOVE = 32;

    private static final long PAUSE_NANOS = 10_000;

    /** What a write needs. */
    static final class Need {
        final HashKey key;
        final int group;
        int oldCharge;
        final int charge;

        /** Whether the bounds have room and one part of the map has not. */
        boolean segmentIsFull;

        /** Whether that part was moved together for this write. */
        boolean isTogether;

        /** Whether it was, and nothing there may go. */
        boolean isHopeless;

        Need(HashKey key, int group, int charge) {
            this.key = key;
            this.group = group;
            this.charge = charge;
        }
    }

    private final Shelf shelf;

    Room(Shelf shelf) {
        this.shelf = shelf;
    }

    /**
     * Takes room from the budget for who holds the stripe of its key, and lets one other go for it if it must, unless that is busy; false when there
     * is none, and {@link #make} has to find it without the stripe.
     *
     * @param own the slot that the entry will have again, which must not go; -1 for none
     */
    boolean reserve(Need need, int own) {
        Budget.Lack lack = shelf.budget.tryReserve(need.group, need.oldCharge, need.charge);
        if (lack == Budget.Lack.NOTHING) {
            return true;
        }
        int slot = victim(need, lack);
        return slot >= 0
                && slot != own
                && shelf.tryRemoveSlot(slot, cause(lack))
                && shelf.budget.tryReserve(need.group, need.oldCharge, need.charge) == Budget.Lack.NOTHING;
    }

    /** Lets as many go as have to; without any stripe. */
    void make(Need need) {
        if (need.segmentIsFull) {
            makeBeside(need);
            return;
        }
        for (int evicted = 0; evicted < MOST_EVICTIONS_PER_WRITE && !shelf.isClosed(); evicted++) {
            Budget.Lack lack = shelf.budget.lack(need.group, need.oldCharge, need.charge);
            if (lack == Budget.Lack.NOTHING || !evictOne(need, lack)) {
                return;
            }
        }
    }

    /**
     * Makes room in the part of the map that the key belongs to: those go who lie where it takes the fewest of others, if the map knows
     * where they lie.
     */
    private void makeBeside(Need need) {
        long pools = evictable(need);
        int[] inTheWay = shelf.inTheWay(need.key, need.charge, slot -> isOf(pools, slot));
        if (inTheWay == null) {
            makeAnywhereBeside(need, pools);
            return;
        }
        for (int slot : inTheWay) {
            // With those before it gone, its pool may have no more than is reserved for it.
            if (isOf(evictable(need), slot)) {
                shelf.removeSlot(slot, EvictionCause.SIZE);
            }
        }
    }

    private long evictable(Need need) {
        return shelf.budget.evictable(need.group, need.charge, Budget.Lack.BYTES);
    }

    private boolean isOf(long pools, int slot) {
        return (pools >>> shelf.groups.pool(shelf.table.groupOf(slot)) & 1) != 0;
    }

    /**
     * Evicts in that part as much as the entry takes, or a little more, so that the next one need not do the same, and moves the others there
     * together, so that what is free is in one piece. An entry takes a quarter of a part at most, so the fourth try at the latest finds room.
     */
    private void makeAnywhereBeside(Need need, long pools) {
        List<EntryMap.Resident> residents = shelf.beside(need.key);
        Neighbours neighbours = new Neighbours(shelf.table, shelf.groups, pools);
        long held = 0;
        for (EntryMap.Resident resident : residents) {
            if (shelf.owns(resident.slot(), resident.key())) {
                neighbours.add(resident.slot());
                held += shelf.table.chargeOf(resident.slot());
            }
        }
        long wanted = Math.max(need.charge, held / PARTS_PER_MOVE);
        long freed = 0;
        for (int slot = 0; slot >= 0 && freed < wanted && !shelf.isClosed(); ) {
            slot = shelf.table.victim(true, neighbours);
            if (slot >= 0) {
                int charge = shelf.table.chargeOf(slot);
                freed += shelf.removeSlot(slot, EvictionCause.SIZE) ? charge : 0;
            }
        }
        need.isHopeless = freed == 0 && need.isTogether;
        if (!need.isHopeless) {
            shelf.compact(need.key);
        }
        need.isTogether = true;
    }

    private boolean evictOne(Need need, Budget.Lack lack) {
        int slot = victim(need, lack);
        if (slot < 0) {
            // Others have been granted what there is and are about to use it, or to give it back.
            LockSupport.parkNanos(PAUSE_NANOS);
            return false;
        }
        shelf.removeSlot(slot, cause(lack));
        return true;
    }

    private int victim(Need need, Budget.Lack lack) {
        int more = need.charge - need.oldCharge;
        return shelf.table.victim(lack.isOfBytes(), shelf.budget.evictable(need.group, more, lack));
    }

    private static EvictionCause cause(Budget.Lack lack) {
        return lack.isOfShare() ? EvictionCause.SHARE : EvictionCause.SIZE;
    }
}
