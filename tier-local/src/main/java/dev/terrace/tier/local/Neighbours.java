package dev.terrace.tier.local;

import dev.terrace.tier.local.policy.Among;
import java.util.Arrays;
import java.util.BitSet;
import java.util.random.RandomGenerator;

/** The slots of entries in one part of the map, of whom some may go. For one thread, and whoever it asks for a victim. */
final class Neighbours implements Among {
    private final SlotTable table;
    private final Groups groups;
    private final long pools;
    private int[] slots = new int[64];
    private int count;
    private final BitSet known = new BitSet();

    /** @param pools of which pools an entry may go, one bit each */
    Neighbours(SlotTable table, Groups groups, long pools) {
        this.table = table;
        this.groups = groups;
        this.pools = pools;
    }

    void add(int slot) {
        if ((pools >>> groups.pool(table.groupOf(slot)) & 1) != 0 && !known.get(slot)) {
            if (count == slots.length) {
                slots = Arrays.copyOf(slots, count * 2);
            }
            slots[count++] = slot;
            known.set(slot);
        }
    }

    @Override
    public boolean has(int slot) {
        return known.get(slot);
    }

    @Override
    public int any(RandomGenerator random) {
        while (count > 0) {
            int at = random.nextInt(count);
            int slot = slots[at];
            if (table.isResident(slot)) {
                return slot;
            }
            // Gone since.
            slots[at] = slots[--count];
            known.clear(slot);
        }
        return -1;
    }
}
