package dev.terrace.tier.local;

import com.kenai.jffi.MemoryIO;
import java.lang.ref.Cleaner;
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
    private static final Cleaner CLEANER = Cleaner.create();
    private static final Logger LOG = LoggerFactory.getLogger(NativeMemory.class);
    private static final long ALIGNMENT = EntryMap.Pages.HUGE_BYTES;

    private final long taken;
    private final long address;
    private final long bytes;

    /** @throws OutOfMemoryError when there is not so much */
    NativeMemory(long bytes) {
        this(bytes, false);
    }

    private NativeMemory(long bytes, boolean zeroed) {
        this.bytes = bytes;
        this.taken = MEMORY.allocateMemory(bytes + ALIGNMENT, zeroed);
        if (taken == 0) {
            throw new OutOfMemoryError("the system has no " + bytes + " bytes");
        }
        this.address = (taken + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /**
     * Takes memory full of zeroes, which is touched where it is used only, and lasts as long as somebody refers to {@code owner}; its address.
     *
     * @param huge whether in huge pages, if the system has any for those who ask
     */
    static long zeroedFor(Object owner, long bytes, boolean huge) {
        NativeMemory memory = new NativeMemory(bytes, true);
        CLEANER.register(owner, memory::free);
        if (huge && PosixAPI.posix().madvise(memory.address, bytes, MAdviseFlag.MADV_HUGEPAGE.value()) != 0) {
            LOG.debug("the kernel gives no huge pages bytes={}", bytes);
        }
        return memory.address;
    }

    long address() {
        return address;
    }

    long bytes() {
        return bytes;
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
