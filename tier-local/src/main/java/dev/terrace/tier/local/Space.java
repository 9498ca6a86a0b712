package dev.terrace.tier.local;

/**
 * Which chunks of a part are taken. Finds room next-fit, and does not look long: who finds none moves what lies there together. Not
 * thread-safe.
 */
final class Space {
    static final int NONE = -1;

    /** So many gaps are looked at before one is made by moving: about what that costs. */
    private static final int LOOKS = 32;

    private final long[] taken;
    private final int count;
    private int free;
    private int next;

    Space(int count) {
        this.count = count;
        this.free = count;
        this.taken = new long[(count + Long.SIZE - 1) / Long.SIZE];
        if (count % Long.SIZE != 0) {
            // Whoever looks for a free one by whole words must not find those beyond the end.
            taken[taken.length - 1] = -1L << count;
        }
    }

    int count() {
        return count;
    }

    int free() {
        return free;
    }

    /** Where the next look begins. */
    int next() {
        return next;
    }

    /** Takes a run of {@code wanted} chunks; its first, or {@link #NONE} when none is near. */
    int take(int wanted) {
        if (wanted > free) {
            return NONE;
        }
        int found = find(next, wanted);
        if (found == NONE) {
            found = find(0, wanted);
        }
        if (found != NONE) {
            claim(found, wanted);
        }
        return found;
    }

    private int find(int from, int wanted) {
        int at = nextFree(from);
        for (int look = 0; look < LOOKS && at + wanted <= count; look++) {
            int end = nextTaken(at, at + wanted);
            if (end - at >= wanted) {
                return at;
            }
            at = nextFree(end);
        }
        return NONE;
    }

    /** Takes this very run, which is free. */
    void claim(int first, int chunks) {
        set(first, chunks, true);
        free -= chunks;
        next = first + chunks;
    }

    void free(int first, int chunks) {
        set(first, chunks, false);
        free += chunks;
    }

    /** What lay in so many chunks lies in as many further down. */
    void moved(int from, int to, int chunks) {
        set(from, chunks, false);
        set(to, chunks, true);
    }

    private void set(int first, int chunks, boolean to) {
        int end = first + chunks;
        for (int at = first; at < end; ) {
            int bit = at % Long.SIZE;
            int here = Math.min(Long.SIZE - bit, end - at);
            long mask = -1L >>> Long.SIZE - here << bit;
            int word = at / Long.SIZE;
            taken[word] = to ? taken[word] | mask : taken[word] & ~mask;
            at += here;
        }
    }

    boolean isTaken(int chunk) {
        return (taken[chunk / Long.SIZE] >>> chunk & 1) != 0;
    }

    /** The first free chunk from {@code from} on; {@link #count} when there is none. */
    int nextFree(int from) {
        if (from >= count) {
            return count;
        }
        int word = from / Long.SIZE;
        long here = ~taken[word] & -1L << from;
        while (here == 0) {
            if (++word == taken.length) {
                return count;
            }
            here = ~taken[word];
        }
        return word * Long.SIZE + Long.numberOfTrailingZeros(here);
    }

    /** The first taken chunk from {@code from} on, or {@code end}. */
    int nextTaken(int from, int end) {
        if (from >= end) {
            return end;
        }
        int word = from / Long.SIZE;
        int last = (end - 1) / Long.SIZE;
        long here = taken[word] & -1L << from;
        while (here == 0) {
            if (++word > last) {
                return end;
            }
            here = taken[word];
        }
        return Math.min(end, word * Long.SIZE + Long.numberOfTrailingZeros(here));
    }
}
