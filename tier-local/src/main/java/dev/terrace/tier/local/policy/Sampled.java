package dev.terrace.tier.local.policy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Evicts the least valuable of {@value #SAMPLE} residents drawn at random and of the few that came last. No order is kept, so a hit is one
 * write, and what counts as valuable may change at any moment.
 *
 * <p>Sampling after K. Psounis and B. Prabhakar, "A Randomized Web-Cache Replacement Scheme", INFOCOM 2001. With the last arrivals among
 * the candidates, a stream of keys that nobody wants again evicts itself.
 */
final class Sampled implements Eviction {
    static final int SAMPLE = 32;
    private static final int NEWCOMERS = 8;
    private static final int MOST_DRAWS = 8 * SAMPLE;

    private final Uses uses;
    private final Ranking ranking;
    private final IntUnaryOperator bytes;
    private final SplittableRandom random;
    private final int[] newcomers = new int[NEWCOMERS];
    private int nextNewcomer;

    Sampled(Uses uses, Ranking ranking, IntUnaryOperator bytes, long seed) {
        this.uses = uses;
        this.ranking = ranking;
        this.bytes = bytes;
        this.random = new SplittableRandom(seed);
        Arrays.fill(newcomers, -1);
    }

    @Override
    public void admitted(int slot, long hash) {
        long ghost = ranking.recall(hash);
        uses.begin(slot, ghost);
        ranking.returned(ghost, uses.now());
        newcomers[nextNewcomer++ % NEWCOMERS] = slot;
        if (nextNewcomer == NEWCOMERS) {
            nextNewcomer = 0;
        }
    }

    @Override
    public void touched(int slot, int ticket) {
        boolean ticks = uses.ticks(ticket);
        if (ticks) {
            uses.tick();
        }
        long before = uses.again(slot);
        if (ticks && before != 0) {
            ranking.used(before, uses.now());
        }
    }

    @Override
    public void removed(int slot, long hash) {
        long use = uses.of(slot);
        if (use != 0) {
            uses.end(slot);
            ranking.left(hash, use, uses.now());
        }
    }

    @Override
    public void forget(int slot) {
        uses.end(slot);
    }

    @Override
    public int victim(boolean byBytes, @Nullable Among among) {
        int bound = uses.highWater();
        if (bound == 0) {
            return -1;
        }
        int chosen = -1;
        double least = 0;
        int now = uses.now();
        int found = 0;
        for (int draw = 0; draw < MOST_DRAWS && found < SAMPLE; draw++) {
            int slot = among == null ? random.nextInt(bound) : among.any(random);
            if (slot < 0) {
                return -1;
            }
            long use = uses.of(slot);
            if (use != 0) {
                found++;
                double value = value(slot, use, now, byBytes);
                if (chosen < 0 || value < least) {
                    chosen = slot;
                    least = value;
                }
            }
        }
        for (int slot : newcomers) {
            long use = slot < 0 || among != null && !among.has(slot) ? 0 : uses.of(slot);
            if (use != 0) {
                double value = value(slot, use, now, byBytes);
                if (chosen < 0 || value < least) {
                    chosen = slot;
                    least = value;
                }
            }
        }
        return chosen >= 0 ? chosen : among == null ? anyone(bound) : among.any(random);
    }

    private double value(int slot, long use, int now, boolean byBytes) {
        double value = ranking.value(use, now);
        // Only a value that is a rate can be divided among bytes; recency and frequency are not.
        return byBytes && value > 0 && ranking instanceof ReuseModel ? value / bytes.applyAsInt(slot) : value;
    }

    private int anyone(int bound) {
        int start = random.nextInt(bound);
        for (int i = 0; i < bound; i++) {
            int slot = (start + i) % bound;
            if (uses.of(slot) != 0) {
                return slot;
            }
        }
        return -1;
    }
}
