package dev.terrace.node.storm;

import dev.terrace.spi.Version;
import dev.terrace.testkit.history.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What clients do: every value is written once. A few keys are fought over; many are written once and never again, because a
 * loss on a key that is written all the time is soon hidden. Immutable; clients bring their own randomness.
 */
final class Workload {
    private static final int REGISTERS = 8;
    private static final int COUNTERS = 2;
    private static final String COUNTER = "counter-";
    private static final String ONCE = "once-";

    private final long seed;
    private final boolean counting;

    /** {@code counting}: increments, too. */
    Workload(long seed, boolean counting) {
        this.seed = seed;
        this.counting = counting;
    }

    String cache() {
        return "storm";
    }

    /** The keys that are fought over. */
    List<String> keys() {
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < REGISTERS; i++) {
            keys.add("key-" + i);
        }
        for (int i = 0; counting && i < COUNTERS; i++) {
            keys.add(COUNTER + i);
        }
        return keys;
    }

    Random randomOf(int client) {
        return new Random(seed * 31 + client);
    }

    /** The next thing to do; {@code known} is the newest version the client has seen of a key, or null. */
    Op next(Random random, String unique, java.util.function.Function<String, Version> known) {
        if (counting && random.nextInt(12) == 0) {
            String counter = COUNTER + random.nextInt(COUNTERS);
            return random.nextBoolean() ? Op.get(counter) : Op.increment(counter, 1 + random.nextInt(5));
        }
        String key = "key-" + random.nextInt(REGISTERS);
        int dice = random.nextInt(100);
        if (dice < 6) {
            return Op.put(ONCE + unique, unique);
        } else if (dice < 50) {
            return Op.get(key);
        } else if (dice < 78) {
            return Op.put(key, unique);
        } else if (dice < 85) {
            return Op.invalidate(key);
        } else if (dice < 92) {
            return Op.putIfAbsent(key, unique);
        }
        Version version = known.apply(key);
        return version == null ? Op.put(key, unique) : Op.replace(key, version, unique);
    }
}
