package dev.terrace.tier.local.policy;

import dev.terrace.testkit.Zipf;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/** Shapes of access sequences. Each draws its keys from {@code base} on. */
final class Workloads {
    static final long APART = 1L << 32;

    private final SplittableRandom random;

    Workloads(long seed) {
        random = new SplittableRandom(Simulation.mixed(seed));
    }

    LongSupplier zipf(int keys, double exponent, long base) {
        Zipf zipf = new Zipf(keys, exponent);
        return () -> base + zipf.rank(random);
    }

    /** As zipf, where popularity moves on by one key after each {@code every} accesses. */
    LongSupplier drift(int keys, double exponent, int every, long base) {
        Zipf zipf = new Zipf(keys, exponent);
        long[] time = {0};
        return () -> base + time[0]++ / every + zipf.rank(random);
    }

    LongSupplier loop(int keys, long base) {
        long[] time = {0};
        return () -> base + time[0]++ % keys;
    }

    /** Keys that are never wanted again. */
    LongSupplier once(long base) {
        long[] time = {0};
        return () -> base + time[0]++;
    }

    /** Half of the keys are wanted again, once, {@code pause} keys later. */
    LongSupplier pairs(int pause, long base) {
        long[] time = {0};
        return () -> {
            long i = time[0]++;
            long key = i / 3;
            return i % 3 == 2 && key >= pause ? base + 2 * (key - pause) : base + 2 * key + (i % 3 == 0 ? 0 : 1);
        };
    }

    /** New keys now and then; else one of the keys wanted lately, the later the likelier. */
    LongSupplier recency(int depth, double newcomers, long base) {
        Zipf zipf = new Zipf(depth, 1.1);
        long[] last = new long[Integer.highestOneBit(depth) * 2];
        long[] time = {0, 0};
        return () -> {
            long back = zipf.rank(random) + 1;
            long key = back > time[0] || random.nextDouble() < newcomers
                    ? base + time[1]++
                    : last[(int) (time[0] - back & last.length - 1)];
            last[(int) (time[0]++ & last.length - 1)] = key;
            return key;
        };
    }

    LongSupplier mixed(double share, LongSupplier of, LongSupplier with) {
        return () -> random.nextDouble() < share ? of.getAsLong() : with.getAsLong();
    }

    /** One after the other, each for {@code each} accesses, and again from the first. */
    static LongSupplier phases(int each, LongSupplier... of) {
        long[] time = {0};
        return () -> of[(int) (time[0]++ / each % of.length)].getAsLong();
    }
}
