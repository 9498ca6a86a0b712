package dev.terrace.testkit;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Ranks as people choose them: rank {@code r}, from 0, with a probability proportional to {@code 1 / (r + 1)^exponent} (Zipf's law). Looks
 * ranks up in a table of sums, so it is exact and costs a binary search. Immutable, thread-safe as far as its callers' generators are.
 */
public final class Zipf {
    private final double[] cumulative;

    /**
     * Over {@code count} ranks.
     *
     * @param count at least 1
     * @param exponent 0 for evenly; the greater, the more skewed
     */
    public Zipf(int count, double exponent) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1: " + count);
        }
        cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += 1 / Math.pow(i + 1, exponent);
            cumulative[i] = sum;
        }
    }

    /** The next rank, from 0 on. */
    public int rank(RandomGenerator random) {
        int last = cumulative.length - 1;
        int found = Arrays.binarySearch(cumulative, random.nextDouble(cumulative[last]));
        return Math.min(found < 0 ? -found - 1 : found, last);
    }
}
