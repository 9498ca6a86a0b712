package dev.terrace.tier.local;

import java.util.BitSet;

/**
 * Which chunks of a segment are taken, and where runs of them begin. Lies on the heap, so that no damage to the file can make two entries
 * share a chunk. Finds room next-fit. Not thread-safe.
 */
final class Chunks {
    private final int count;
    private final BitSet taken;
    private final BitSet starts;
    private int next;

    Chunks(int count) {
        this.count = count;
        this.taken = new BitSet(count);
        this.starts = new BitSet(count);
    }

    /** Takes a run of {@code wanted} chunks; its first, or -1. */
    int take(int wanted) {
        int found = find(next, count, wanted);
        if (found < 0) {
            found = find(0, Math.min(count, next + wanted), wanted);
        }
        if (found >= 0) {
            claim(found, wanted);
            next = found + wanted;
        }
        return found;
    }

    private int find(int from, int to, int wanted) {
        int free = taken.nextClearBit(from);
        while (free + wanted <= to) {
            int end = taken.nextSetBit(free);
            if (end < 0 || end - free >= wanted) {
                return free;
            }
            free = taken.nextClearBit(end);
        }
        return -1;
    }

    /** Takes this very run, which is free. */
    void claim(int first, int wanted) {
        taken.set(first, first + wanted);
        starts.set(first);
    }

    /** One past the run that begins here. */
    int end(int first) {
        int free = taken.nextClearBit(first);
        int start = starts.nextSetBit(first + 1);
        return start < 0 ? free : Math.min(free, start);
    }

    /** Gives the run back that begins here. */
    void free(int first) {
        taken.clear(first, end(first));
        starts.clear(first);
    }
}
