package dev.terrace.tier.local.policy;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.util.HashMap;
import java.util.Map;
import java.util.PrimitiveIterator;
import java.util.stream.LongStream;

/** A cache without values: every access is a read that is admitted on a miss. */
final class Simulation {
    private final Eviction eviction;
    private final Map<Long, Integer> slots = new HashMap<>();
    private final long[] keys;
    private int reads;

    Simulation(EvictionPolicy policy, int capacity) {
        this(policy, capacity, capacity);
    }

    /** As where bytes are short, not slots: of these most stay free. */
    Simulation(EvictionPolicy policy, int capacity, int slots) {
        eviction = Eviction.of(policy, UseCells.onHeap(slots), slots, slot -> 1, 42);
        keys = new long[capacity];
    }

    /** Whether {@code key} was there. */
    boolean access(long key) {
        Integer slot = slots.get(key);
        if (slot != null) {
            eviction.touched(slot, reads++);
            return true;
        }
        int free = slots.size();
        if (free == keys.length) {
            free = eviction.victim(false, null);
            eviction.removed(free, mixed(keys[free]));
            slots.remove(keys[free]);
        }
        keys[free] = key;
        slots.put(key, free);
        eviction.admitted(free, mixed(key));
        return false;
    }

    /** Percent of hits. */
    double run(LongStream accesses) {
        long hits = 0;
        long all = 0;
        for (PrimitiveIterator.OfLong each = accesses.iterator(); each.hasNext(); all++) {
            hits += access(each.nextLong()) ? 1 : 0;
        }
        return 100.0 * hits / all;
    }

    /** MurmurHash3's finalizer. */
    static long mixed(long key) {
        long z = (key ^ key >>> 33) * 0xFF51AFD7ED558CCDL;
        z = (z ^ z >>> 33) * 0xC4CEB9FE1A85EC53L;
        return z ^ z >>> 33;
    }
}
