package dev.terrace.node.storm;

import dev.terrace.spi.Version;
import dev.terrace.testkit.history.History;
import dev.terrace.testkit.history.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * What clients do: every value is written once. A few keys are fought over; many are written once and never again, because a
 * loss on a key that is written all the time is soon hidden. Immutable; clients bring their own randomness.
 */
final class Workload {
    private static final int REGISTERS = 8;
    private static final int COUNTERS = 2;
    private static final int COUNTED = 300;
    private static final String COUNTER = "counter-";
    private static final String ONCE = "once-";

    private static final char SEPARATOR = '/';

    private final long seed;
    private final boolean counting;
    private final int reads;
    private final List<String> caches;

    /** {@code counting}: increments, too. */
    Workload(long seed, boolean counting) {
        this(seed, counting, 44, List.of("storm"));
    }

    /**
     * @param counting increments, too
     * @param reads how many of 100 operations are reads; the more, the more of them are answered by local copies
     * @param caches the caches; every key of an operation begins with its cache
     */
    Workload(long seed, boolean counting, int reads, List<String> caches) {
        this.seed = seed;
        this.counting = counting;
        this.reads = reads;
        this.caches = List.copyOf(caches);
    }

    List<String> caches() {
        return caches;
    }

    /** What {@code key} is called in its cache. */
    static String inCache(String key) {
        return key.substring(key.indexOf(SEPARATOR) + 1);
    }

    static String cacheOf(String key) {
        return key.substring(0, key.indexOf(SEPARATOR));
    }

    /** What happened in one cache. */
    static History of(History history, String cache) {
        return History.of(history.operations().stream()
                .filter(operation -> cacheOf(operation.key()).equals(cache))
                .toList());
    }

    /** The keys that are fought over. */
    List<String> keys() {
        List<String> keys = new ArrayList<>();
        for (String cache : caches) {
            for (int i = 0; i < REGISTERS; i++) {
                keys.add(cache + SEPARATOR + "key-" + i);
            }
            for (int i = 0; counting && i < COUNTERS; i++) {
                keys.add(cache + SEPARATOR + COUNTER + "0-" + i);
            }
        }
        return keys;
    }

    Random randomOf(int client) {
        return new Random(seed * 31 + client);
    }

    /**
     * The next thing to do.
     *
     * @param number how many things the client has done
     * @param known the newest version the client has seen of a key, or null
     */
    Op next(Random random, String unique, int number, Function<String, Version> known) {
        String cache = caches.get(random.nextInt(caches.size())) + SEPARATOR;
        if (counting && random.nextInt(12) == 0) {
            // Increments of unknown fate can be ordered in ever so many ways: after a while, others are counted.
            String counter = cache + COUNTER + number / COUNTED + "-" + random.nextInt(COUNTERS);
            return random.nextBoolean() ? Op.get(counter) : Op.increment(counter, 1 + random.nextInt(5));
        }
        String key = cache + "key-" + random.nextInt(REGISTERS);
        if (random.nextInt(100) < reads) {
            return Op.get(key);
        }
        int dice = random.nextInt(56);
        if (dice < 6) {
            return Op.put(cache + ONCE + unique, unique);
        } else if (dice < 34) {
            return Op.put(key, unique);
        } else if (dice < 41) {
            return Op.invalidate(key);
        } else if (dice < 48) {
            return Op.putIfAbsent(key, unique);
        }
        Version version = known.apply(key);
        return version == null ? Op.put(key, unique) : Op.replace(key, version, unique);
    }
}
