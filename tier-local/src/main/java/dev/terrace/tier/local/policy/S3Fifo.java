package dev.terrace.tier.local.policy;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * S3-FIFO, after J. Yang, Y. Zhang, Z. Qiu, Y. Yue and R. Vinayak, "FIFO queues are all you need for cache eviction", SOSP 2023: newcomers
 * pass a small queue, a tenth of all; who was used more than once there goes on to the main queue, the others leave a ghost, and come
 * back to the main queue directly. A hit is one write of one byte.
 */
final class S3Fifo implements Eviction {
    private static final int SMALL = 0;
    private static final int MAIN = 1;
    private static final int SMALL_PARTS = 10;
    private static final byte MOST_MARKS = 3;

    /** Against an endless walk while readers mark faster than this unmarks. */
    private static final int MOST_STEPS = 1 << 14;

    /** How many are compared where the one whose turn it is may not go. */
    private static final int DRAWS = 16;

    private final SplittableRandom random;
    private final Uses uses;
    private final Ghosts ghosts;
    private final Queues queues;
    private final byte[] marks;

    S3Fifo(Uses uses, long seed) {
        this.random = new SplittableRandom(seed);
        this.uses = uses;
        this.ghosts = new Ghosts(uses.capacity() - uses.capacity() / SMALL_PARTS);
        this.queues = new Queues(uses.slots(), 2);
        this.marks = new byte[uses.slots()];
    }

    @Override
    public void admitted(int slot, long hash) {
        long ghost = ghosts.take(hash);
        uses.begin(slot, 0, 0);
        marks[slot] = 0;
        queues.remove(slot);
        queues.append(ghost == 0 ? SMALL : MAIN, slot);
    }

    @Override
    public void touched(int slot, int ticket) {
        byte mark = marks[slot];
        if (mark < MOST_MARKS) {
            marks[slot] = (byte) (mark + 1);
        }
    }

    @Override
    public void forget(int slot) {
        queues.remove(slot);
    }

    @Override
    public void removed(int slot, long hash) {
        if (queues.remove(slot) == SMALL) {
            ghosts.put(hash, uses.of(slot));
        }
    }

    @Override
    public int victim(boolean byBytes, @Nullable Among among) {
        int next = next();
        return among == null || next < 0 || among.has(next) ? next : among.least(DRAWS, random, slot -> marks[slot]);
    }

    private int next() {
        for (int step = 0; step < MOST_STEPS; step++) {
            int small = queues.size(SMALL);
            boolean fromSmall = small > 0
                    && (queues.size(MAIN) == 0 || small >= Math.max(1, (small + queues.size(MAIN)) / SMALL_PARTS));
            int slot = queues.head(fromSmall ? SMALL : MAIN);
            if (slot == Queues.NONE || marks[slot] <= (fromSmall ? 1 : 0)) {
                return slot;
            }
            marks[slot] = fromSmall ? 0 : (byte) (marks[slot] - 1);
            queues.move(slot, MAIN);
        }
        return queues.head(queues.size(MAIN) > 0 ? MAIN : SMALL);
    }
}
