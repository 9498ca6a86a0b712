package dev.terrace.tier.local;

import dev.terrace.tier.local.policy.Among;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Which slots belong to which pool, so that one of some pools can be drawn at random. Kept only where there are shares. Not thread-safe:
 * callers hold the slot table's lock.
 */
final class PoolMembers implements Among {
    /** Heap bytes per slot: its place, and its cell in a list that may be half empty. */
    static final int BYTES_PER_SLOT = 3 * Integer.BYTES;

    private static final int FEWEST = 16;

    private final int[] place;
    private final byte[] poolOf;
    private final int[][] members;
    private final int[] count;
    private long allowed = -1;

    PoolMembers(int slots, int pools) {
        place = new int[slots];
        poolOf = new byte[slots];
        members = new int[pools][FEWEST];
        count = new int[pools];
        Arrays.fill(poolOf, (byte) -1);
    }

    void add(int slot, int pool) {
        if (count[pool] == members[pool].length) {
            int room = (int) Math.min(place.length, 2L * count[pool]);
            members[pool] = Arrays.copyOf(members[pool], Math.max(room, count[pool] + 1));
        }
        place[slot] = count[pool];
        poolOf[slot] = (byte) pool;
        members[pool][count[pool]++] = slot;
    }

    void remove(int slot) {
        int pool = poolOf[slot];
        int last = members[pool][--count[pool]];
        members[pool][place[slot]] = last;
        place[last] = place[slot];
        poolOf[slot] = -1;
    }

    /** These pools only, one bit each, from now on. */
    PoolMembers of(long pools) {
        allowed = pools;
        return this;
    }

    @Override
    public boolean has(int slot) {
        return poolOf[slot] >= 0 && (allowed >>> poolOf[slot] & 1) != 0;
    }

    @Override
    public int any(RandomGenerator random) {
        int all = 0;
        for (int pool = 0; pool < count.length; pool++) {
            all += (allowed >>> pool & 1) == 0 ? 0 : count[pool];
        }
        if (all == 0) {
            return -1;
        }
        int drawn = random.nextInt(all);
        for (int pool = 0; ; pool++) {
            if ((allowed >>> pool & 1) != 0) {
                if (drawn < count[pool]) {
                    return members[pool][drawn];
                }
                drawn -= count[pool];
            }
        }
    }
}
