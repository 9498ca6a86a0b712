package dev.terrace.tier.backup;

import com.github.luben.zstd.ZstdDictCompress;
import com.github.luben.zstd.ZstdDictDecompress;
import org.jspecify.annotations.Nullable;

/**
 * What values of one cache have in common, for zstd. Immutable but for when it was last used; thread-safe. Its native memory, about
 * ten times its length, is freed when nothing refers to it any more: threads may be in the middle of using it.
 */
final class Dictionary {
    static final int ID_BYTES = 16;

    private final byte[] id;
    private final String cache;
    private final long dataKey;
    private final long sequence;
    private final long createdMillis;
    private final int ratioPermille;
    private final byte[] bytes;
    private @Nullable ZstdDictCompress compressing;
    private @Nullable ZstdDictDecompress expanding;
    private volatile long usedIn;

    /**
     * @param id random
     * @param dataKey id of the key that it and everything made with it is sealed under; 0 when plain
     * @param sequence partition that was the newest when it was made
     * @param createdMillis when it was made
     * @param ratioPermille to how much it compressed values that it was not made of
     */
    Dictionary(
            byte[] id, String cache, long dataKey, long sequence, long createdMillis, int ratioPermille, byte[] bytes) {
        this.id = id.clone();
        this.cache = cache;
        this.dataKey = dataKey;
        this.sequence = sequence;
        this.createdMillis = createdMillis;
        this.ratioPermille = ratioPermille;
        this.bytes = bytes.clone();
        this.usedIn = sequence;
    }

    /** Its id, which callers must not write to. */
    byte[] id() {
        return id;
    }

    /** What records call it by. */
    int reference() {
        return reference(id);
    }

    static int reference(byte[] id) {
        return (id[0] & 0xFF) << 8 | id[1] & 0xFF;
    }

    String cache() {
        return cache;
    }

    long dataKey() {
        return dataKey;
    }

    long sequence() {
        return sequence;
    }

    long createdMillis() {
        return createdMillis;
    }

    int ratioPermille() {
        return ratioPermille;
    }

    /** Its content, which callers must not write to. */
    byte[] bytes() {
        return bytes;
    }

    /** Newest partition that a record made with it may be in. */
    long usedIn() {
        return usedIn;
    }

    void use(long partition) {
        if (partition > usedIn) {
            usedIn = partition;
        }
    }

    synchronized ZstdDictCompress compressing() {
        if (compressing == null) {
            compressing = new ZstdDictCompress(bytes, Squeezer.LEVEL);
        }
        return compressing;
    }

    synchronized ZstdDictDecompress expanding() {
        if (expanding == null) {
            expanding = new ZstdDictDecompress(bytes);
        }
        return expanding;
    }
}
