package dev.terrace.tier.local.policy;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * W-TinyLFU, after G. Einziger, R. Friedman and B. Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM Transactions on Storage
 * 2017: newcomers pass a window of a hundredth; who leaves it competes by frequency with the one who would leave the main part, which is
 * divided into probation and protected.
 *
 * <p>Different from the paper: frequencies are counted exactly for residents and recent ghosts, instead of in a sketch, and halve every
 * ten capacities; a use marks, and the move it earns is made when the queue's turn comes, so a hit takes no lock. The window grows and
 * shrinks by hill climbing. It is a share of who is there, not of the slots: when bytes are short, most slots may be free.
 */
final class WindowTinyLfu implements Eviction {
    private static final int WINDOW = 0;
    private static final int PROBATION = 1;
    private static final int PROTECTED = 2;
    private static final double FIRST_WINDOW = 0.01;
    private static final double PROTECTED_SHARE = 0.8;
    private static final int CAPACITIES_TO_CLIMB = 10;
    private static final double FIRST_STEP = 0.0625;
    private static final double STEP_DECAY = 0.98;
    private static final double RESTART = 0.05;
    private static final double MOST_WINDOW = 0.8;
    private static final int GHOSTS_PER_SLOT = 2; // 16 of its 34 bytes a slot; a long for uses, two links, queue, mark
    private static final int MOST_STEPS = 1 << 14;

    /** How many are compared where the one whose turn it is may not go. */
    private static final int DRAWS = 16;

    private final SplittableRandom random;
    private final Uses uses;
    private final Ghosts ghosts;
    private final Queues queues;
    private final boolean[] marked;

    /** The share of all residents. */
    private double window = FIRST_WINDOW;

    /** Nobody had to go yet: it is too early to tell a good window from a bad one. */
    private boolean filling = true;

    // For the climb: the period's hits, written by readers without a lock, and what it was like before.
    private int hits;
    private int misses;
    private double lastRatio;
    private double step = FIRST_STEP;

    WindowTinyLfu(Uses uses, long seed) {
        this.random = new SplittableRandom(seed);
        this.uses = uses;
        this.ghosts = new Ghosts((long) GHOSTS_PER_SLOT * uses.capacity());
        this.queues = new Queues(uses.slots(), 3);
        this.marked = new boolean[uses.slots()];
    }

    @Override
    public void admitted(int slot, long hash) {
        misses++;
        uses.begin(slot, ghosts.take(hash), 0);
        marked[slot] = false;
        queues.remove(slot);
        queues.append(WINDOW, slot);
        climb();
        double most = Math.max(1, window * residents());
        for (int step = 0; step < MOST_STEPS && queues.size(WINDOW) > most; step++) {
            int oldest = queues.head(WINDOW);
            boolean again = marked[oldest];
            marked[oldest] = false;
            queues.move(oldest, again ? WINDOW : PROBATION);
        }
    }

    @Override
    public void touched(int slot, int ticket) {
        if (uses.ticks(ticket)) {
            uses.tick();
            hits += uses.readsPerTick();
        }
        uses.again(slot);
        if (!marked[slot]) {
            marked[slot] = true;
        }
    }

    @Override
    public void forget(int slot) {
        uses.end(slot);
        queues.remove(slot);
    }

    @Override
    public void removed(int slot, long hash) {
        if (queues.remove(slot) != Queues.NONE && uses.of(slot) != 0) {
            ghosts.put(hash, uses.of(slot));
        }
        uses.end(slot);
    }

    @Override
    public int victim(boolean byBytes, @Nullable Among among) {
        filling = false;
        int next = next();
        return among == null || next < 0 || among.has(next)
                ? next
                : among.least(DRAWS, random, slot -> frequency(slot));
    }

    private int next() {
        int candidate = queues.tail(PROBATION);
        for (int step = 0; step < MOST_STEPS; step++) {
            int oldest = queues.head(PROBATION);
            if (oldest == Queues.NONE) {
                int demoted = queues.head(PROTECTED);
                return demoted == Queues.NONE ? oldestOfWindow() : demoted;
            }
            if (oldest == candidate || !marked[oldest]) {
                return oldest == candidate || frequency(candidate) > frequency(oldest) ? oldest : candidate;
            }
            marked[oldest] = false;
            queues.move(oldest, PROTECTED);
            demote();
        }
        return queues.head(PROBATION);
    }

    /** Where there are newcomers only: the first of them that was not used again. */
    private int oldestOfWindow() {
        for (int step = 0; step < MOST_STEPS; step++) {
            int oldest = queues.head(WINDOW);
            if (oldest == Queues.NONE || !marked[oldest]) {
                return oldest;
            }
            marked[oldest] = false;
            queues.move(oldest, WINDOW);
        }
        return queues.head(WINDOW);
    }

    private int residents() {
        return queues.size(WINDOW) + queues.size(PROBATION) + queues.size(PROTECTED);
    }

    /** Hill climbing, after G. Einziger, O. Eytan, R. Friedman and B. Manes, "Adaptive Software Cache Management", Middleware 2018. */
    private void climb() {
        if (filling) {
            hits = 0;
            misses = 0;
            return;
        }
        if ((long) hits + misses < (long) residents() * CAPACITIES_TO_CLIMB) {
            return;
        }
        double ratio = (double) hits / ((long) hits + misses);
        double change = ratio - lastRatio;
        lastRatio = ratio;
        hits = 0;
        misses = 0;
        if (change < 0) {
            step = -step;
        }
        window = Math.max(0, Math.min(MOST_WINDOW, window + step));
        step = Math.abs(change) >= RESTART ? Math.copySign(FIRST_STEP, step) : step * STEP_DECAY;
    }

    private void demote() {
        for (int step = 0; step < MOST_STEPS; step++) {
            int main = queues.size(PROBATION) + queues.size(PROTECTED);
            if (queues.size(PROTECTED) <= PROTECTED_SHARE * main) {
                return;
            }
            int oldest = queues.head(PROTECTED);
            boolean again = marked[oldest];
            marked[oldest] = false;
            queues.move(oldest, again ? PROTECTED : PROBATION);
        }
    }

    private int frequency(int slot) {
        return uses.frequency(uses.of(slot), uses.now());
    }
}
