package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/**
 * The first page of the file, written once: what it is, which format, how it is cut. Big-endian.
 *
 * <pre>
 *  0 magic 8, format 4, segments 4, bytes of a segment 4, bytes of a chunk 4, length of the file 8, secret 8, check 8
 * </pre>
 *
 * <p>After it, up to {@value #HEAD_BYTES} bytes, lie the two copies of {@link FileState}, and from {@value #HIGH_WATERS_AT} on the {@link HighWater} of
 * each segment.
 *
 * @param format of records and envelopes
 * @param layout how it is cut; its expectations are not kept
 * @param secret a random number that keys the checks of its records
 */
record FileHeader(int format, FileLayout layout, long secret) {
    /** Of this build: changed whenever a record, an envelope or the hash of keys does. */
    static final int FORMAT = 1;

    /** Before the first segment. */
    static final int HEAD_BYTES = 64 << 10;

    /** Behind the copies of the state. */
    static final int HIGH_WATERS_AT = 52 << 10;

    private static final long MAGIC = 0x5445525241434531L;
    private static final int BYTES = 48;

    static long mix(long value) {
        // The finalizer of MurmurHash3, by Austin Appleby.
        long mixed = (value ^ value >>> 33) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ mixed >>> 33) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ mixed >>> 33;
    }

    ByteBuffer bytes() {
        ByteBuffer out = ByteBuffer.allocate(BYTES)
                .putLong(MAGIC)
                .putInt(format)
                .putInt(layout.segments())
                .putInt(layout.segmentBytes())
                .putInt(layout.chunkBytes())
                .putLong(layout.fileBytes())
                .putLong(secret);
        return out.putLong(check(out)).flip();
    }

    private static long check(ByteBuffer header) {
        long mixed = MAGIC;
        for (int at = 0; at < BYTES - Long.BYTES; at += Long.BYTES) {
            mixed = mix(mixed ^ header.getLong(at));
        }
        return mixed;
    }

    /**
     * What is wrong with a file for those who want this layout; null when it can be mapped as it is.
     *
     * @return a word that can be part of a file's name
     */
    static @Nullable String flaw(FileChannel file, FileLayout wanted) throws IOException {
        ByteBuffer in = read(file);
        if (in.remaining() < BYTES) {
            return in.remaining() >= Long.BYTES && in.getLong(0) == MAGIC ? "truncated" : "foreign";
        }
        if (in.getLong(0) != MAGIC) {
            return "foreign";
        }
        if (in.getLong(BYTES - Long.BYTES) != check(in)) {
            return "damaged";
        }
        if (in.getInt(8) != FORMAT) {
            return "format-" + in.getInt(8);
        }
        if (file.size() < in.getLong(24)) {
            return "truncated";
        }
        boolean same = in.getInt(12) == wanted.segments()
                && in.getInt(16) == wanted.segmentBytes()
                && in.getInt(20) == wanted.chunkBytes()
                && file.size() == wanted.fileBytes();
        return same ? null : "other-size";
    }

    /** Of a file without a flaw. */
    static FileHeader of(FileChannel file, FileLayout layout) throws IOException {
        return new FileHeader(FORMAT, layout, read(file).getLong(32));
    }

    private static ByteBuffer read(FileChannel file) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(BYTES);
        int last = 0;
        while (in.hasRemaining() && last >= 0) {
            last = file.read(in, in.position());
        }
        return in.flip();
    }
}
