package dev.terrace.benchmarks;

import dev.terrace.testkit.Zipf;
import java.util.SplittableRandom;

/** Keys, values and the order in which keys are read: the same for every contender. */
final class Workload {
    /** A power of two, so that wrapping around is a mask. */
    static final int SEQUENCE = 1 << 20;

    private static final double ZIPF_EXPONENT = 0.99;

    private Workload() {}

    /** Keys of 16 characters. */
    static String[] keys(int count) {
        String[] keys = new String[count];
        for (int i = 0; i < count; i++) {
            keys[i] = String.format("key-%012d", i);
        }
        return keys;
    }

    /** Bytes that do not compress. */
    static byte[] value(int size, int seed) {
        byte[] bytes = new byte[size];
        new SplittableRandom(seed * 0x9E3779B97F4A7C15L + 0xBF58476D1CE4E5B9L).nextBytes(bytes);
        return bytes;
    }

    /** Which key each read asks for: zipf 0.99 over {@code count} keys, hot ones scattered. */
    static int[] zipf(int count, long seed) {
        Zipf popularity = new Zipf(count, ZIPF_EXPONENT);
        SplittableRandom random = new SplittableRandom(seed);
        int[] scattered = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            scattered[i] = scattered[j];
            scattered[j] = i;
        }
        int[] sequence = new int[SEQUENCE];
        for (int i = 0; i < SEQUENCE; i++) {
            sequence[i] = scattered[popularity.rank(random)];
        }
        return sequence;
    }
}
