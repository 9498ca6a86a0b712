package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings;

/**
 * How a bounded map is laid out for given settings.
 *
 * <p>A map reserves address space up front and touches it as it fills; what it reserves, together with the
 * tables, stays below {@code max_memory}: it never grows. Live data stays below what is laid out, with room for segments that fill
 * unevenly.
 *
 * @param entries most entries, by capacity or by what memory can index
 * @param averageValueBytes what is expected
 * @param chunkBytes allocation unit
 * @param segments independent parts
 * @param liveBytes most bytes of live entries, in whole chunks
 * @param largestValueBytes longest value that may be stored, prefix included
 */
record MapShape(
        long entries, int averageValueBytes, int chunkBytes, int segments, long liveBytes, int largestValueBytes) {
    /** Key, size fields and the map's own bookkeeping per entry, beyond {@link StoredValue#PREFIX_BYTES}. */
    static final int ENTRY_OVERHEAD_BYTES = HashKey.BYTES + 8;

    /** With the index of the map, which is laid out beside the entries. */
    private static final int LAYOUT_OVERHEAD_BYTES = ENTRY_OVERHEAD_BYTES + 16;

    private static final int SMALLEST_AVERAGE = 128;
    private static final int LARGEST_AVERAGE = 16 << 10;

    /** Maps cut segments that are larger in halves. */
    static final long LARGEST_SEGMENT = 512L << 20;

    /** Of a segment: so that a few tries find room for any value in the part it belongs to. */
    private static final int LARGEST_VALUES_PER_SEGMENT = 4;

    private static final long SEGMENT_BYTES = 4L << 20;
    private static final int PAGE_BYTES = 4096;
    private static final double SPREADS = 3;
    private static final double LAYOUT_SHARE = 0.87;
    private static final double LIVE_SHARE_OF_LAYOUT = 0.85;

    /** @param shares whether caches or classes have shares, which takes somewhat more per entry */
    static MapShape of(LocalCacheSettings settings, boolean shares) {
        int perSlot = (int) Math.ceil(MemoryMap.CELLS_PER_ENTRY
                * (Cells.BYTES_PER_SLOT
                        + SlotTable.INDEX_BYTES_PER_SLOT
                        + SlotTable.heapBytesPerSlot(null, shares, true)));
        long allowed = settings.maxMemoryMib() << 20;
        // Only slots that memory can fill cost memory: a capacity far beyond it must not eat what is there.
        long slots = Math.min(settings.capacity(), allowed / (SMALLEST_AVERAGE + ENTRY_OVERHEAD_BYTES + perSlot));
        long wanted = (long) ((allowed - slots * perSlot) * LAYOUT_SHARE);
        int segments = (int) Math.max(1, Math.min(64, Long.highestOneBit(wanted / SEGMENT_BYTES)));
        double each =
                Math.max(16, Math.min(slots, wanted / (SMALLEST_AVERAGE + LAYOUT_OVERHEAD_BYTES))) / (double) segments;
        // Every part is made larger, by three times the spread of how many entries fall into it.
        long layout = (long) (wanted / (1 + SPREADS / Math.sqrt(each)));
        long entries = Math.max(16, Math.min(slots, layout / (SMALLEST_AVERAGE + LAYOUT_OVERHEAD_BYTES)));
        int average =
                (int) Math.max(SMALLEST_AVERAGE, Math.min(LARGEST_AVERAGE, layout / entries - LAYOUT_OVERHEAD_BYTES));
        int chunk = Math.max(32, Math.min(1024, Integer.highestOneBit(average / 16)));
        // What is laid out is entries * average, which the cap on the average may leave far below what memory allows.
        long laidOut = Math.min(layout, entries * (average + (long) ENTRY_OVERHEAD_BYTES));
        long segment = laidOut / segments;
        while (segment > LARGEST_SEGMENT) {
            segment /= 2;
        }
        long largest = segment / LARGEST_VALUES_PER_SEGMENT;
        return new MapShape(entries, average, chunk, segments, (long) (laidOut * LIVE_SHARE_OF_LAYOUT), (int) largest);
    }

    /** What is laid out for entries. */
    long layoutBytes() {
        return (long) (liveBytes / LIVE_SHARE_OF_LAYOUT);
    }

    /** Bytes of each of so many parts of a map, in whole pages: so much that some may have more entries than others. */
    long partBytes(int parts) {
        double each = (double) Math.max(16, entries) / parts;
        double bytes = (double) layoutBytes() / parts * (1 + SPREADS / Math.sqrt(each));
        return ((long) bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    /** What a stored value of {@code bytes} takes, in whole chunks. */
    int charge(int bytes) {
        return Math.toIntExact(((long) bytes + ENTRY_OVERHEAD_BYTES + chunkBytes - 1) / chunkBytes * chunkBytes);
    }
}
