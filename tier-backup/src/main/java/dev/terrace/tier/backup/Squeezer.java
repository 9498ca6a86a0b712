package dev.terrace.tier.backup;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import org.jspecify.annotations.Nullable;

/**
 * zstd (RFC 8878) for small pieces. A frame of which all but the block's content follows from the declared length, which is the case
 * for nearly everything up to 128 KiB, is stored as that content alone: its header of up to 10 bytes is made again before it is
 * expanded. One per thread; holds native memory until {@link #close}.
 */
final class Squeezer implements AutoCloseable {
    /** Room that {@link #expand} needs before a body. */
    static final int ROOM_BEFORE = 16;

    static final int LEVEL = 3;
    private static final int SINGLE_SEGMENT = 0x20;
    private static final int BLOCK_HEADER = 3;
    private static final int LAST_COMPRESSED_BLOCK = 5;
    private static final int MOST_BLOCK_BYTES = 128 << 10;

    private final ZstdCompressCtx compress = new ZstdCompressCtx()
            .setLevel(LEVEL)
            .setMagicless(true)
            .setDictID(false)
            .setContentSize(true);
    private final ZstdDecompressCtx decompress = new ZstdDecompressCtx().setMagicless(true);
    private @Nullable Dictionary compressingWith;
    private @Nullable Dictionary expandingWith;
    private int from;
    private boolean frame;

    /** Where the last result of {@link #compress} begins in its output. */
    int from() {
        return from;
    }

    /** Whether the last result of {@link #compress} is a whole frame. */
    boolean isFrame() {
        return frame;
    }

    /**
     * Compresses into {@code out}.
     *
     * @return the length of the result, or -1 when it would not be shorter than what it is made of
     */
    int compress(byte[] in, int length, @Nullable Dictionary dictionary, byte[] out) {
        if (dictionary != compressingWith) {
            compress.loadDict(dictionary == null ? null : dictionary.compressing());
            compressingWith = dictionary;
        }
        int total = compress.compressByteArray(out, 0, out.length, in, 0, length);
        int header = frameHeaderBytes(length);
        from = 0;
        frame = true;
        if (length <= MOST_BLOCK_BYTES && total > header + BLOCK_HEADER && isPlainHeader(out, length)) {
            int block = out[header] & 0xFF | (out[header + 1] & 0xFF) << 8 | (out[header + 2] & 0xFF) << 16;
            int content = total - header - BLOCK_HEADER;
            if (block == (content << 3 | LAST_COMPRESSED_BLOCK)) {
                from = header + BLOCK_HEADER;
                frame = false;
                total = content;
            }
        }
        return total < length ? total : -1;
    }

    private static int sizeFlag(int length) {
        return length < 256 ? 0 : length < 65_536 + 256 ? 1 : 2;
    }

    private static int sizeBytes(int length) {
        return 1 << sizeFlag(length);
    }

    private static int frameHeaderBytes(int length) {
        return 1 + sizeBytes(length);
    }

    private static boolean isPlainHeader(byte[] out, int length) {
        byte[] expected = new byte[8];
        int bytes = writeFrameHeader(expected, 0, length);
        for (int i = 0; i < bytes; i++) {
            if (out[i] != expected[i]) {
                return false;
            }
        }
        return true;
    }

    /** A single segment of known size, without checksum and dictionary id. */
    private static int writeFrameHeader(byte[] out, int at, int length) {
        out[at] = (byte) (SINGLE_SEGMENT | sizeFlag(length) << 6);
        int bytes = sizeBytes(length);
        int size = bytes == 2 ? length - 256 : length;
        for (int i = 0; i < bytes; i++) {
            out[at + 1 + i] = (byte) (size >>> 8 * i);
        }
        return 1 + bytes;
    }

    /** Whether what was declared agrees with the frame's own claim, so that so much may be allocated. */
    static boolean isPlausible(byte[] in, int at, int length, boolean whole, int declared) {
        return whole
                ? length > 0 && Zstd.getFrameContentSize(in, at, length, true) == declared
                : declared <= MOST_BLOCK_BYTES && length < MOST_BLOCK_BYTES;
    }

    /**
     * Expands {@code in}, which must be {@linkplain #isPlausible plausible}, from {@code at} on. The bytes before that, at least
     * {@value #ROOM_BEFORE}, are written to.
     *
     * @return whether {@code out} now holds exactly {@code declared} bytes of what was compressed
     */
    boolean expand(
            byte[] in, int at, int length, boolean whole, @Nullable Dictionary dictionary, byte[] out, int declared) {
        int begin = at;
        if (!whole) {
            begin = at - BLOCK_HEADER - frameHeaderBytes(declared);
            int block = begin + writeFrameHeader(in, begin, declared);
            int header = length << 3 | LAST_COMPRESSED_BLOCK;
            in[block] = (byte) header;
            in[block + 1] = (byte) (header >>> 8);
            in[block + 2] = (byte) (header >>> 16);
        }
        if (dictionary != expandingWith) {
            decompress.loadDict(dictionary == null ? null : dictionary.expanding());
            expandingWith = dictionary;
        }
        try {
            return decompress.decompressByteArray(out, 0, declared, in, begin, at + length - begin) == declared;
        } catch (ZstdException e) {
            return false; // Damaged. The caller counts it.
        }
    }

    @Override
    public void close() {
        compress.close();
        decompress.close();
    }
}
