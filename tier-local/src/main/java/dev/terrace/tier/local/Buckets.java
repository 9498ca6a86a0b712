package dev.terrace.tier.local;

/**
 * The cells of one part of a map, by hash: buckets of as many cells as lie in one line of the processor's cache; who finds a bucket full goes
 * on to the next, and leaves a count there, so that who looks for it knows to go on. Nobody is ever moved: the number of a cell is that of the
 * entry's slot for as long as it is held. After N. Bronson and X. Shi, "Open-sourcing F14 for faster, more memory-efficient hash tables", 2019.
 *
 * <p>A cell's word is: count of those who went on from here (8 bits, in a bucket's first cell), tag (24 bits of the hash), place (32 bits, 0
 * where nobody is). Writers exclude each other; a reader beside one may see what was there a moment ago, and ends.
 */
final class Buckets {
    static final int NONE = -1;
    static final int CELLS = 4;

    /** The place of who is gone and has not left its cell yet. */
    static final int GONE = -1;

    private static final int COUNT_SHIFT = 56;
    private static final int TAG_SHIFT = 40;
    private static final long COUNT = 0xFFL << COUNT_SHIFT;
    private static final long TAG = 0xFF_FFFFL << Integer.SIZE;

    /** From here on nobody knows any more how many there were. */
    private static final long MOST_COUNTED = 0xFF;

    private final Cells cells;
    private final int first;
    private final int count;

    /** Tells whether what lies at a place is the key's. */
    interface Places {
        boolean isFor(int place, HashKey key);
    }

    /**
     * Of consecutive cells.
     *
     * @param first the first, a multiple of {@link #CELLS}
     * @param count of buckets
     */
    Buckets(Cells cells, int first, int count) {
        this.cells = cells;
        this.first = first;
        this.count = count;
    }

    int firstSlot() {
        return first;
    }

    int endSlot() {
        return first + count * CELLS;
    }

    private int home(HashKey key) {
        return (int) ((key.high & 0xFFFF_FFFFL) * count >>> Integer.SIZE);
    }

    private int slotOf(int bucket) {
        return first + bucket * CELLS;
    }

    private int after(int bucket) {
        return bucket + 1 == count ? 0 : bucket + 1;
    }

    private static long tag(HashKey key) {
        return key.high >>> TAG_SHIFT << Integer.SIZE;
    }

    /** The slot of the key's entry, or {@link #NONE}. */
    int find(HashKey key, Places places) {
        long tag = tag(key);
        int bucket = home(key);
        for (int step = 0; step < count; step++) {
            int slot = slotOf(bucket);
            for (int i = 0; i < CELLS; i++) {
                long word = cells.word(slot + i);
                int place = (int) word;
                if ((word & TAG) == tag && place != 0 && place != GONE && places.isFor(place, key)) {
                    return slot + i;
                }
            }
            if ((cells.word(slot) & COUNT) == 0) {
                return NONE;
            }
            bucket = after(bucket);
        }
        return NONE;
    }

    /** Takes a cell for the key's entry, or {@link #NONE} when all are taken. */
    int claim(HashKey key, int place) {
        int bucket = home(key);
        for (int step = 0; step < count; step++) {
            int slot = slotOf(bucket);
            for (int i = 0; i < CELLS; i++) {
                if ((int) cells.word(slot + i) == 0) {
                    passed(home(key), bucket, 1);
                    cells.word(slot + i, cells.word(slot + i) & COUNT | tag(key) | place & 0xFFFF_FFFFL);
                    return slot + i;
                }
            }
            bucket = after(bucket);
        }
        return NONE;
    }

    /** The key's entry leaves the cell. */
    void leave(HashKey key, int slot) {
        cells.word(slot, cells.word(slot) & COUNT);
        passed(home(key), (slot - first) / CELLS, -1);
    }

    private void passed(int home, int last, int change) {
        for (int bucket = home; bucket != last; bucket = after(bucket)) {
            int slot = slotOf(bucket);
            long word = cells.word(slot);
            if (word >>> COUNT_SHIFT != MOST_COUNTED) {
                cells.word(slot, word + ((long) change << COUNT_SHIFT));
            }
        }
    }

    /** Where the entry of a slot lies: 0 when there is none. */
    int place(int slot) {
        return (int) cells.word(slot);
    }

    /** The entry lies elsewhere now, or is {@link #GONE}. */
    void place(int slot, int place) {
        cells.word(slot, cells.word(slot) & (COUNT | TAG) | place & 0xFFFF_FFFFL);
    }

    /** Whether the slot is one of these, and its cell may be the key's. */
    boolean mayBe(int slot, HashKey key) {
        return slot >= first && slot < endSlot() && place(slot) != 0 && (cells.word(slot) & TAG) == tag(key);
    }
}
