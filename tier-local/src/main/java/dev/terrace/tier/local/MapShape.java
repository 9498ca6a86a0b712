package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings;

/**
 * How a bounded Chronicle Map is laid out for given settings.
 *
 * <p>Chronicle reserves address space up front and touches it as it fills; what it may reserve in the end, extra segment
 * tiers included, stays below {@code max_memory}. Live data stays below what is laid out first, with room for segments
 * that fill unevenly.
 *
 * @param entries most entries, by capacity or by what memory can index
 * @param averageValueBytes what Chronicle is told to expect
 * @param chunkBytes allocation unit
 * @param segments independent parts
 * @param bloatFactor how much Chronicle may grow beyond its first layout
 * @param liveBytes most bytes of live entries, in whole chunks
 * @param largestValueBytes longest value that may be stored, prefix included
 */
record MapShape(
        long entries,
        int averageValueBytes,
        int chunkBytes,
        int segments,
        double bloatFactor,
        long liveBytes,
        int largestValueBytes) {
    /** Key, size fields and Chronicle's own bookkeeping per entry. */
    static final int ENTRY_OVERHEAD_BYTES = HashKey.BYTES + 8;

    private static final int SMALLEST_AVERAGE = 128;
    private static final int LARGEST_AVERAGE = 16 << 10;
    private static final long SEGMENT_BYTES = 4L << 20;
    private static final double BLOAT = 1.25;
    private static final double FIRST_LAYOUT_SHARE = 0.70;
    private static final double LIVE_SHARE_OF_LAYOUT = 0.85;

    static MapShape of(LocalCacheSettings settings) {
        long allowed = settings.maxMemoryMib() << 20;
        // Only slots that memory can fill cost memory: a capacity far beyond it must not eat what is there.
        long slots = Math.min(
                settings.capacity(), allowed / (SMALLEST_AVERAGE + ENTRY_OVERHEAD_BYTES + SlotTable.BYTES_PER_SLOT));
        long layout = (long) ((allowed - slots * SlotTable.BYTES_PER_SLOT) * FIRST_LAYOUT_SHARE);
        long entries = Math.max(16, Math.min(slots, layout / SMALLEST_AVERAGE));
        int average =
                (int) Math.max(SMALLEST_AVERAGE, Math.min(LARGEST_AVERAGE, layout / entries - ENTRY_OVERHEAD_BYTES));
        int chunk = Math.max(32, Math.min(1024, Integer.highestOneBit(average / 16)));
        int segments = (int) Math.max(1, Math.min(64, Long.highestOneBit(layout / SEGMENT_BYTES)));
        // Chronicle lays out entries * average, which the cap on the average may leave far below what memory allows.
        long laidOut = Math.min(layout, entries * (average + (long) ENTRY_OVERHEAD_BYTES));
        long largest = Math.min(laidOut / segments / 4, Integer.MAX_VALUE);
        return new MapShape(
                entries, average, chunk, segments, BLOAT, (long) (laidOut * LIVE_SHARE_OF_LAYOUT), (int) largest);
    }

    /** What a stored value of {@code bytes} takes, in whole chunks. */
    int charge(int bytes) {
        return (bytes + ENTRY_OVERHEAD_BYTES + chunkBytes - 1) / chunkBytes * chunkBytes;
    }
}
