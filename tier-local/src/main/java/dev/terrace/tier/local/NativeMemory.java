package dev.terrace.tier.local;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.openhft.posix.MAdviseFlag;
import net.openhft.posix.PosixAPI;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stretch of memory outside the heap, which no setting of the JVM bounds, aligned to huge pages. What lies in it at first is not known.
 * Nobody may touch it after {@link #free}.
 */
final class NativeMemory {
    private static final MemoryIO MEMORY = MemoryIO.getInstance();
    private static final long ALIGNMENT = EntryMap.Pages.HUGE_BYTES;

    private static final Logger LOG = LoggerFactory.getLogger(NativeMemory.class);
    private final long taken;
    private final long address;
    private final long bytes;

    /** @throws OutOfMemoryError when there is not so much */
    NativeMemory(long bytes) {
        this.bytes = bytes;
        this.taken = MEMORY.allocateMemory(bytes + ALIGNMENT, false);
        if (taken == 0) {
            throw new OutOfMemoryError("the system has no " + bytes + " bytes");
        }
        this.address = (taken + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    long address() {
        return address;
    }

    long bytes() {
        return bytes;
    }

    /** Has the system lay it in huge pages from the first touch on, if it has any for those who ask. */
    void inHugePages() {
        if (PosixAPI.posix().madvise(address, bytes, MAdviseFlag.MADV_HUGEPAGE.value()) != 0) {
            LOG.debug("the kernel gives no huge pages bytes={}", bytes);
        }
    }

    void clear() {
        MEMORY.setMemory(address, bytes, (byte) 0);
    }

    /** A part of it, within whose bounds alone is read and written. */
    ByteBuffer part(long at, int length) {
        if (at < 0 || length < 0 || at + length > bytes) {
            throw new IndexOutOfBoundsException(at + " and " + length + " bytes more, of " + bytes);
        }
        return MEMORY.newDirectByteBuffer(address + at, length).order(ByteOrder.nativeOrder());
    }

    void free() {
        MEMORY.freeMemory(taken);
    }
}
