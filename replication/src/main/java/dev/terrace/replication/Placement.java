package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replica;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which zones hold a key: the {@code copies} with the highest scores, a score being a hash of key and zone name weighted by
 * the logarithm method. Adding or removing a zone moves only the keys that it gains or had. Immutable, thread-safe.
 *
 * <p>Source: Thaler and Ravishankar, "A name-based mapping scheme for rendezvous", 1996; the weighting is that of Schindelhauer
 * and Schomaker, "Weighted distributed hash tables", SPAA 2005.
 */
final class Placement {
    private final List<Replica> zones;
    private final long[] names;
    private final double[] weights;
    private final int copies;

    /**
     * @param zones all zones, in the order in which operations ask them
     * @param weights by zone name; 1 for those that are missing
     * @param copies how many zones hold a key; at most as many as there are
     */
    Placement(List<? extends Replica> zones, Map<String, Double> weights, int copies) {
        this.zones = List.copyOf(zones);
        this.copies = copies;
        this.names = new long[zones.size()];
        this.weights = new double[zones.size()];
        for (int i = 0; i < zones.size(); i++) {
            names[i] = hash(0x9E3779B97F4A7C15L, zones.get(i).zone().getBytes(StandardCharsets.UTF_8));
            this.weights[i] = weights.getOrDefault(zones.get(i).zone(), 1.0);
        }
    }

    List<Replica> all() {
        return zones;
    }

    int copies() {
        return copies;
    }

    /** The zones of {@code key}, always in the same order. */
    List<Replica> of(CacheKey key) {
        if (copies >= zones.size()) {
            return zones;
        }
        long hashed = hashOf(key);
        Map<Integer, Double> scores = new HashMap<>();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < names.length; i++) {
            long mixed = mix(hashed ^ names[i]);
            // In (0, 1): 53 bits, never 0.
            double unit = ((mixed >>> 11) + 0.5) * 0x1.0p-53;
            scores.put(i, -weights[i] / Math.log(unit));
            order.add(i);
        }
        order.sort(Comparator.comparing((Integer zone) -> scores.get(zone))
                .reversed()
                .thenComparing(zone -> zones.get(zone).zone()));
        return order.subList(0, copies).stream().map(zones::get).toList();
    }

    /** A hash of {@code key} that is the same on every node. */
    static long hashOf(CacheKey key) {
        return hash(key.nameLength(), key.nameAndKey());
    }

    private static long hash(long seed, byte[] bytes) {
        long hash = mix(seed ^ bytes.length);
        for (byte b : bytes) {
            hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
            hash ^= hash >>> 29;
        }
        return mix(hash);
    }

    /** The finalizer of SplitMix64. */
    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
