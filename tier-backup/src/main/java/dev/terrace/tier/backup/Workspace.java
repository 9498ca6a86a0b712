package dev.terrace.tier.backup;

import org.jspecify.annotations.Nullable;

/**
 * What a thread keeps, or borrows from {@link Workspaces}, to seal and open records: native contexts and buffers, costly to make. Buffers for long values are made for one
 * use and not kept, so a thread holds at most about 1 MiB.
 */
final class Workspace implements AutoCloseable {
    private static final int KEPT_BYTES = 256 << 10;

    /** zstd's own bound on what it makes of {@code length} bytes is less than this. */
    private static final int MOST_OVERHEAD = 1024;

    private static final ThreadLocal<Workspace> OF_THREAD = ThreadLocal.withInitial(Workspace::new);

    private final byte[] head = new byte[RecordHeader.MOST_BYTES];
    private byte[] plain = new byte[4 << 10];
    private byte[] packed = new byte[4 << 10];
    private @Nullable Squeezer squeezer;

    Workspace() {}

    static Workspace ofThread() {
        return OF_THREAD.get();
    }

    static void releaseThread() {
        OF_THREAD.get().close();
        OF_THREAD.remove();
    }

    @Override
    public void close() {
        if (squeezer != null) {
            squeezer.close();
            squeezer = null;
        }
    }

    byte[] head() {
        return head;
    }

    Squeezer squeezer() {
        Squeezer known = squeezer;
        if (known == null) {
            known = new Squeezer();
            squeezer = known;
        }
        return known;
    }

    /** A buffer of at least {@code length} bytes, valid until the next call. */
    byte[] plain(int length) {
        if (length > KEPT_BYTES) {
            return new byte[length];
        }
        if (plain.length < length) {
            plain = new byte[grown(length)];
        }
        return plain;
    }

    /** Another, with room for what {@code length} bytes may become, and before it what {@link Squeezer#expand} needs. */
    byte[] packed(int length) {
        int needed = Squeezer.ROOM_BEFORE + length + (length >>> 7) + MOST_OVERHEAD;
        if (needed > KEPT_BYTES) {
            return new byte[needed];
        }
        if (packed.length < needed) {
            packed = new byte[grown(needed)];
        }
        return packed;
    }

    private static int grown(int length) {
        return Math.min(KEPT_BYTES, Integer.highestOneBit(length) * 2);
    }
}
