package dev.terrace.tier.local;

import net.openhft.posix.MAdviseFlag;
import net.openhft.posix.PosixAPI;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pages under a map in memory: how many lie in memory, and giving back those that hold no entry. A page whose chunks are all free is not
 * read by anybody.
 */
final class MemoryPages implements EntryMap.Pages {
    private static final Logger LOG = LoggerFactory.getLogger(MemoryPages.class);

    /** Copies into a huge page at once; of kernels from 6.1 on, others leave it to a thread of theirs. The library has no name for it. */
    private static final int MADV_COLLAPSE = 25;

    /** So much is moved while nobody else can read or write there. */
    private static final int MOVED_BYTES = 1 << 20;

    private final long address;
    private final long partBytes;
    private final int chunkBytes;
    private final MemoryPart[] parts;

    /** @param address of the first part, behind which the others lie */
    MemoryPages(long address, long partBytes, int chunkBytes, MemoryPart[] parts) {
        this.address = address;
        this.partBytes = partBytes;
        this.chunkBytes = chunkBytes;
        this.parts = parts;
    }

    private long base(int tier) {
        return address + tier * partBytes;
    }

    /** Nobody may close the map meanwhile. */
    @Override
    public long residentBytes(int tier) {
        return ResidentPages.in(base(tier), partBytes);
    }

    @Override
    public int tiers() {
        return parts.length;
    }

    @Override
    public boolean canBeGivenBack() {
        return true;
    }

    @Override
    public int tighten(int tier, int from) {
        return parts[tier].tighten(from, MOVED_BYTES);
    }

    /** Readers may read meanwhile. */
    @Override
    public long release(int tier) {
        Space space = parts[tier].space();
        long base = base(tier);
        long released = 0;
        // Or the system would soon fill the gaps again.
        advise(base, base + partBytes, ResidentPages.PAGE_BYTES, MAdviseFlag.MADV_NOHUGEPAGE.value());
        int start = space.nextFree(0);
        while (start < space.count()) {
            int end = space.nextTaken(start, space.count());
            released += giveBack(base + (long) start * chunkBytes, base + (long) end * chunkBytes);
            start = space.nextFree(end);
        }
        return released;
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

    @Override
    public Piece enlarge(int piece) {
        long first = address + (long) piece * PIECE_BYTES;
        long end = Math.min(first + PIECE_BYTES, (address + parts.length * partBytes) / HUGE_BYTES * HUGE_BYTES);
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
}
