package dev.terrace.tier.local.policy;

/**
 * The past of keys that were evicted: an eight-way table of 64-bit cells, of which 16 bits are a
 * fingerprint and the rest is the state of {@link Uses}. A new ghost takes an empty cell of its set or replaces the one that came first. A wrong fingerprint (once in 8,000 look-ups) lends a key a stranger's past, which costs precision only. Not thread-safe.
 */
final class Ghosts {
    private static final int WAYS = 8;
    private static final long STATE = 0x0000_FFFF_FFFF_FFFFL;

    /** Unused cells before the first set: with the array's header, of two cells, they let each set of a large table lie in one line of the processor's cache. */
    private static final int BEFORE = 6;

    private final long[] cells;
    private final int sets;

    /** Room for {@code count} at least. */
    Ghosts(long count) {
        sets = (int) Math.max(1, Math.min((Integer.MAX_VALUE - 2 * WAYS) / WAYS, (count + WAYS - 1) / WAYS));
        cells = new long[BEFORE + sets * WAYS];
    }

    int cells() {
        return cells.length;
    }

    /** State in a cell, 0 when it is empty. */
    long at(int cell) {
        return cells[cell] & STATE;
    }

    /** Takes the ghost of {@code hash} out: its state, or 0. */
    long take(long hash) {
        int first = set(hash);
        long print = fingerprint(hash);
        for (int i = first; i < first + WAYS; i++) {
            if (cells[i] != 0 && (cells[i] & ~STATE) == print) {
                long state = cells[i] & STATE;
                cells[i] = 0;
                return state;
            }
        }
        return 0;
    }

    /** Remembers; the state of the ghost that had to go, or 0. */
    long put(long hash, long use) {
        int first = set(hash);
        int last = first;
        while (last < first + WAYS - 1 && cells[last] != 0) {
            last++;
        }
        long gone = cells[last] & STATE;
        // Newest first: who was evicted at an old age stays as long as all others.
        System.arraycopy(cells, first, cells, first + 1, last - first);
        cells[first] = fingerprint(hash) | use & STATE;
        return gone;
    }

    private int set(long hash) {
        return BEFORE + (int) ((hash >>> 32) * sets >>> 32) * WAYS;
    }

    private static long fingerprint(long hash) {
        return hash << 48;
    }
}
