package dev.terrace.tier.local;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * Up to where a segment was ever written to, kept in the head of the file, so that the next process need not look at the rest. Raised before
 * a record is written beyond it, and in large steps. Not thread-safe.
 */
final class HighWater {
    /** How many steps a segment has. */
    private static final int STEPS = 64;

    private final ByteBuffer head;
    private final int at;
    private final long salt;
    private final int most;
    private int chunks;

    /**
     * Of one segment.
     *
     * @param head where they lie, one after the other
     * @param segment whose; beyond the end it is not kept
     * @param salt of the segment
     * @param most chunks of the segment
     */
    HighWater(ByteBuffer head, int segment, long salt, int most) {
        this.head = head;
        this.at = segment < head.capacity() / Long.BYTES ? segment * Long.BYTES : -1;
        this.salt = salt;
        this.most = most;
        this.chunks = most;
    }

    /** What an earlier process left; all chunks when that is not known. */
    int left() {
        long kept = at < 0 ? 0 : head.getLong(at);
        int left = (int) (kept >>> Integer.SIZE);
        return at >= 0 && kept == word(left) && left >= 0 && left <= most ? left : most;
    }

    /** No record ends beyond {@code end}. */
    void begin(int end) {
        chunks = -1;
        raise(end);
    }

    /** A record is about to be written up to {@code end}. */
    void raise(int end) {
        if (end > chunks) {
            int step = most / STEPS + 1;
            chunks = Math.min(most, (end + step - 1) / step * step);
            if (at >= 0) {
                head.putLong(at, word(chunks));
                VarHandle.releaseFence();
            }
        }
    }

    private long word(int count) {
        // Keyed like a record, of a place where none can be.
        return (long) count << Integer.SIZE | FileHeader.mix(salt ^ -1L - count) >>> Integer.SIZE;
    }
}
