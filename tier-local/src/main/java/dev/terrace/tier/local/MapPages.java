package dev.terrace.tier.local;

import net.openhft.chronicle.core.OS;
import net.openhft.chronicle.hash.impl.VanillaChronicleHash;
import net.openhft.posix.MAdviseFlag;
import net.openhft.posix.PosixAPI;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pages under a Chronicle Map in memory: how many lie in memory, and giving back those that hold no entry, which Chronicle itself never
 * does.
 *
 * <p>A tier of a segment is: table of hashes, 64 bytes of counters, one bit per chunk, set for those in use, and the chunks. A page whose
 * chunks are all free is not read by anybody, and whoever writes to it finds zeroes there, as at first.
 */
final class MapPages implements EntryMap.Pages {
    private static final Logger LOG = LoggerFactory.getLogger(MapPages.class);
    private static final int COUNTERS_BYTES = 64;

    /** Copies into a huge page at once; of kernels from 6.1 on, others leave it to a thread of theirs. The library has no name for it. */
    private static final int MADV_COLLAPSE = 25;

    private final VanillaChronicleHash<?, ?, ?, ?> map;

    MapPages(VanillaChronicleHash<?, ?, ?, ?> map) {
        this.map = map;
    }

    /** Bytes of a tier that lie in memory; {@link ResidentPages#UNKNOWN} where the system does not say. Nobody may close the map meanwhile. */
    @Override
    public long residentBytes(int tier) {
        return ResidentPages.in(base(tier), map.tierSize);
    }

    @Override
    public int tiers() {
        return map.actualSegments + (int) map.globalMutableState().getExtraTiersInUse();
    }

    @Override
    public boolean canBeGivenBack() {
        return true;
    }

    /**
     * Gives back what is free in one tier. Nobody may write to the map meanwhile; readers may read.
     *
     * @param tier 0 to {@link #tiers}, exclusive
     * @return bytes of address space given back, whether or not they lay in memory
     */
    @Override
    public long release(int tier) {
        long bits = base(tier) + map.tierHashLookupOuterSize + COUNTERS_BYTES;
        long chunks = bits + map.tierFreeListOuterSize + map.tierEntrySpaceInnerOffset;
        long released = 0;
        // Or the system would soon fill the gaps again.
        advise(base(tier), base(tier) + map.tierSize, ResidentPages.PAGE_BYTES, MAdviseFlag.MADV_NOHUGEPAGE.value());
        long start = 0;
        while (start < map.actualChunksPerSegmentTier) {
            long end = start;
            while (end < map.actualChunksPerSegmentTier && isFree(bits, end)) {
                end++;
            }
            if (end > start) {
                released += giveBack(chunks + start * map.chunkSize, chunks + end * map.chunkSize);
            }
            start = end + 1;
        }
        return released;
    }

    private static boolean isFree(long bits, long chunk) {
        return (OS.memory().readLong(bits + (chunk >>> 6) * Long.BYTES) >>> (chunk & 63) & 1) == 0;
    }

    private static long giveBack(long from, long to) {
        return advise(from, to, ResidentPages.PAGE_BYTES, MAdviseFlag.MADV_DONTNEED.value());
    }

    /** Tells the system about the pages of a size that lie between two addresses; their bytes, or 0 when it does not listen. */
    private static long advise(long from, long to, long page, int advice) {
        long first = (from + page - 1) / page * page;
        long bytes = to / page * page - first;
        if (bytes <= 0) {
            return 0;
        }
        if (PosixAPI.posix().madvise(first, bytes, advice) != 0) {
            LOG.debug("the kernel did not follow advice={} bytes={}", advice, bytes);
            return 0;
        }
        return bytes;
    }

    /** Parts lie beside each other, in one stretch. */
    @Override
    public Piece enlarge(int piece) {
        long all = base(0) + map.actualSegments * map.tierSize;
        long first = (base(0) + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES + (long) piece * PIECE_BYTES;
        long end = Math.min(first + PIECE_BYTES, all / HUGE_BYTES * HUGE_BYTES);
        if (end <= first) {
            return Piece.NONE;
        }
        boolean asked = advise(first, end, HUGE_BYTES, MAdviseFlag.MADV_HUGEPAGE.value()) > 0;
        // What nobody has used comes in huge pages by itself.
        return asked
                        && ResidentPages.in(first, end - first) >= (end - first) / 4
                        && advise(first, end, HUGE_BYTES, MADV_COLLAPSE) > 0
                ? Piece.HUGE
                : Piece.LATER;
    }

    private long base(int tier) {
        return tier < map.actualSegments
                ? map.segmentBaseAddr(tier)
                : map.tierIndexToBaseAddr(map.extraTierIndexToTierIndex(tier - map.actualSegments));
    }
}
