package dev.terrace.tier.local.policy;

import org.jspecify.annotations.Nullable;

/** Histograms over ages: two buckets to each doubling, and what can be learned from them. Pure functions. */
final class Ages {
    static final int PER_OCTAVE = 2;
    static final int BUCKETS = 28 * PER_OCTAVE;

    private Ages() {}

    /** Which bucket an age of 0 or more falls into. */
    static int bucket(int age) {
        int from1 = Math.min(age, Integer.MAX_VALUE - 1) + 1;
        int octave = 31 - Integer.numberOfLeadingZeros(from1);
        int part = octave == 0 ? 0 : from1 >>> octave - 1 & 1;
        return Math.min(BUCKETS - 1, octave * PER_OCTAVE + part);
    }

    /** The first age of a bucket; not whole for the second half of the first octave, which is empty. */
    static double start(int bucket) {
        return Math.scalb(1 + bucket % PER_OCTAVE / (double) PER_OCTAVE, bucket / PER_OCTAVE) - 1;
    }

    /**
     * The chance of use in each bucket for those who came so far, after Kaplan and Meier; who ends within a bucket counts half there.
     *
     * @param hits uses, by age
     * @param ends who was not used again until that age, as far as is known
     * @param kin an opinion to begin with, or null for {@code flat} everywhere
     * @param weight how many observations that opinion is worth
     */
    static double[] hazard(double[] hits, double[] ends, double @Nullable [] kin, double flat, double weight) {
        double[] chance = new double[hits.length];
        double later = 0;
        for (int age = hits.length - 1; age >= 0; age--) {
            double opinion = kin == null ? flat : kin[age];
            chance[age] = (hits[age] + weight * opinion) / (later + hits[age] + ends[age] / 2 + weight);
            later += hits[age] + ends[age];
        }
        return chance;
    }

    /** Each with its neighbours, one quarter each: single buckets are noisy, and the index takes the best of them. */
    static double[] smooth(double[] of) {
        double[] smooth = new double[of.length];
        for (int i = 0; i < of.length; i++) {
            smooth[i] = (of[Math.max(0, i - 1)] + 2 * of[i] + of[Math.min(of.length - 1, i + 1)]) / 4;
        }
        return smooth;
    }

    /**
     * Gittins' index at the start of each bucket: the steepest line from there to any later point of the curve of expected hits over
     * expected time, found on its upper hull from the right.
     */
    static void index(double[] chance, double[] into) {
        int points = BUCKETS + 1;
        double[] hit = new double[points];
        double[] time = new double[points];
        double left = 1;
        for (int age = 0; age < BUCKETS; age++) {
            double used = left * chance[age];
            hit[age + 1] = hit[age] + used;
            time[age + 1] = time[age] + (start(age + 1) - start(age)) * (left - used / 2) + 1e-12;
            left -= used;
        }
        int[] hull = new int[points];
        int top = 0;
        hull[top] = BUCKETS;
        for (int age = BUCKETS - 1; age >= 0; age--) {
            while (top > 0 && slope(hit, time, age, hull[top]) <= slope(hit, time, age, hull[top - 1])) {
                top--;
            }
            into[age] = slope(hit, time, age, hull[top]);
            hull[++top] = age;
        }
    }

    private static double slope(double[] hit, double[] time, int from, int to) {
        return (hit[to] - hit[from]) / (time[to] - time[from]);
    }
}
