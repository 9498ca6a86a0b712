package dev.terrace.tier.local;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How much of a stretch of this process's address space really lies in memory, by {@code /proc/self/pagemap} (see pagemap in the kernel's
 * documentation): eight bytes a page, the highest bit says that it is there. Linux only.
 */
final class ResidentPages {
    /** What is said where nothing can be said. */
    static final long UNKNOWN = -1;

    static final int PAGE_BYTES = 4096;
    private static final String PAGE_MAP = "/proc/self/pagemap";
    private static final int CHUNK_BYTES = 1 << 16;

    private ResidentPages() {}

    /** Bytes of the pages that hold some of these addresses and are in memory; {@link #UNKNOWN} where the kernel does not say. */
    static long in(long address, long bytes) {
        long next = address / PAGE_BYTES;
        long end = (address + bytes + PAGE_BYTES - 1) / PAGE_BYTES;
        long present = 0;
        byte[] chunk = new byte[CHUNK_BYTES];
        try (RandomAccessFile pages = new RandomAccessFile(PAGE_MAP, "r")) {
            while (next < end) {
                int wanted = (int) Math.min(CHUNK_BYTES, (end - next) * Long.BYTES);
                pages.seek(next * Long.BYTES);
                pages.readFully(chunk, 0, wanted);
                ByteBuffer entries = ByteBuffer.wrap(chunk, 0, wanted).order(ByteOrder.LITTLE_ENDIAN);
                while (entries.hasRemaining()) {
                    present += entries.getLong() < 0 ? 1 : 0;
                    next++;
                }
            }
            return present * PAGE_BYTES;
        } catch (IOException notToBeRead) {
            return UNKNOWN; // Which is what it says.
        }
    }
}
