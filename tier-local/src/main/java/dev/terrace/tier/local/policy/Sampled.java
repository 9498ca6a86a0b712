package dev.terrace.tier.local.policy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Evicts the least valuable of {@value #SAMPLE} residents and of the few that came last. No order is kept, so a hit is one write, and what
 * counts as valuable may change at any moment.
 *
 * <p>Some of the {@value #SAMPLE} are drawn at random, or one after the other where slots are given by hash, which is as good and costs memory less;
 * the others are the least valuable of those who were candidates the last time: K. Psounis
 * and B. Prabhakar, "A Randomized Web-Cache Replacement Scheme", INFOCOM 2001. With the last arrivals among the candidates, a stream of keys
 * that nobody wants again evicts itself.
 */
final class Sampled implements Eviction {
    static final int SAMPLE = 32;
    private static final int NEWCOMERS = 8;

    /** How many are drawn anew each time. */
    private static final int FRESH = 16;

    private static final int MOST_DRAWS = 8 * SAMPLE;
    private static final int TOGETHER = 8;
    private static final int MOST_CANDIDATES = SAMPLE + TOGETHER + NEWCOMERS;

    /** Where fewer slots than one in so many are taken, numbers drawn at random hit too few. */
    private static final int SPARSE = 4;

    private final Uses uses;
    private final Residents residents;
    private final Ranking ranking;
    private final IntUnaryOperator bytes;
    private final SplittableRandom random;
    private final int[] newcomers = new int[NEWCOMERS];
    private int nextNewcomer;

    private final int[] candidates = new int[MOST_CANDIDATES];
    private final long[] states = new long[MOST_CANDIDATES];
    private final double[] values = new double[MOST_CANDIDATES];

    /** Whom the last look found least valuable, who was chosen first, and the others in order: they are candidates again. */
    private final int[] best = new int[1 + SAMPLE - FRESH];

    private final double[] bestValues = new double[best.length];
    private int ranked;

    /** Where those begin who are drawn next, if one after the other. */
    private int hand;

    Sampled(Uses uses, Ranking ranking, IntUnaryOperator bytes, long seed) {
        this.uses = uses;
        this.residents = new Residents(uses);
        this.ranking = ranking;
        this.bytes = bytes;
        this.random = new SplittableRandom(seed);
        Arrays.fill(newcomers, Residents.NONE);
    }

    @Override
    public void admitted(int slot, long hash) {
        long ghost = ranking.recall(hash);
        uses.begin(slot, ghost, bytes.applyAsInt(slot));
        residents.add(slot);
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
    public void resized(int slot) {
        uses.weigh(slot, bytes.applyAsInt(slot));
    }

    @Override
    public void removed(int slot, long hash) {
        long use = uses.of(slot);
        if (use != 0) {
            uses.end(slot);
            residents.remove(slot);
            ranking.left(hash, use, uses.now());
        }
    }

    @Override
    public void forget(int slot) {
        uses.end(slot);
    }

    @Override
    public int victim(boolean byBytes, @Nullable Among among) {
        if (residents.count() == 0) {
            return Residents.NONE;
        }
        int bound = uses.highWater();
        boolean sparse = residents.count() < bound / SPARSE;
        int found = 0;
        for (int i = 1; i < ranked && among == null; i++) {
            found = consider(best[i], found);
        }
        for (int draw = 0; draw < MOST_DRAWS && found < SAMPLE; draw++) {
            if (among == null && !sparse) {
                found = considerTogether(drawn(bound), bound, found);
                continue;
            }
            int slot = among == null ? residents.any(random) : among.any(random);
            if (slot < 0) {
                return Residents.NONE;
            }
            found = consider(slot, found);
        }
        for (int slot : newcomers) {
            found = slot < 0 || among != null && !among.has(slot) ? found : consider(slot, found);
        }
        rank(found, byBytes);
        int chosen = ranked == 0 ? Residents.NONE : best[0];
        if (among != null) {
            ranked = 0;
            return chosen == Residents.NONE ? among.any(random) : chosen;
        }
        return chosen == Residents.NONE ? residents.any(random) : chosen;
    }

    private int drawn(int bound) {
        if (!uses.areByHash()) {
            return random.nextInt(bound);
        }
        int slot = hand < bound ? hand : 0;
        hand = slot + TOGETHER;
        return slot;
    }

    /**
     * Takes up those who lie beside each other in memory, which costs little more than to look at one. They have nothing else in common: a slot
     * is taken again as soon as it is free.
     */
    private int considerTogether(int slot, int bound, int found) {
        int first = slot - slot % TOGETHER;
        int last = Math.min(bound, first + TOGETHER);
        int now = found;
        for (int i = first; i < last; i++) {
            now = consider(i, now);
        }
        return now;
    }

    /** Takes the resident of a slot up, if there is one. First all are looked up and then weighed: so memory answers many at a time. */
    private int consider(int slot, int found) {
        long use = uses.of(slot);
        candidates[found] = slot;
        states[found] = use;
        // No branch: whoever guessed wrong which way it goes would have to wait for memory before looking further.
        return found + (use == 0 ? 0 : 1);
    }

    /** Puts the least valuable of the candidates in order, whoever was drawn twice once. */
    private void rank(int found, boolean byBytes) {
        int now = uses.now();
        for (int i = 0; i < found; i++) {
            values[i] = value(states[i], now, byBytes);
        }
        ranked = 0;
        for (int i = 0; i < found; i++) {
            int at = ranked;
            while (at > 0 && bestValues[at - 1] > values[i]) {
                at--;
            }
            if (at < best.length && !isRanked(candidates[i], values[i], at)) {
                ranked = Math.min(best.length, ranked + 1);
                // So few that to call for a copy would take longer.
                for (int to = ranked - 1; to > at; to--) {
                    best[to] = best[to - 1];
                    bestValues[to] = bestValues[to - 1];
                }
                best[at] = candidates[i];
                bestValues[at] = values[i];
            }
        }
    }

    private boolean isRanked(int slot, double value, int before) {
        for (int i = before - 1; i >= 0 && bestValues[i] == value; i--) {
            if (best[i] == slot) {
                return true;
            }
        }
        return false;
    }

    private double value(long use, int now, boolean byBytes) {
        double value = ranking.value(use, now);
        // Only a value that is a rate can be divided among bytes; recency and frequency are not.
        return byBytes && value > 0 && ranking instanceof ReuseModel ? value / Uses.bytes(use) : value;
    }
}
