package dev.terrace.tier.backup;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Looks through a log or manifest of RocksDB for records of the kinds 5 to 8, which stand for files that are written anew over old
 * content. Terrace never has RocksDB do that, so such a record is one of kind 1 to 4 with a flipped bit. RocksDB 11.8.1 reads it again and
 * again and never comes back, whatever the recovery mode, so it must not get to see one.
 *
 * <p>The format is RocksDB's "write ahead log file format": blocks of 32 KiB; in them records of a masked CRC32C (4, little endian), a
 * length (2) and a kind (1), which the checksum covers with the content. Where a checksum does not fit, RocksDB leaves the rest of a block
 * alone, and so does this.
 */
final class RecycledRecords {
    static final int BLOCK_BYTES = 32 << 10;
    static final int HEADER_BYTES = 7;
    private static final int LENGTH_AT = 4;
    static final int KIND_AT = 6;
    private static final int FIRST_RECYCLED = 5;
    private static final int LAST_RECYCLED = 8;
    private static final int RECYCLED_MORE = 4;
    private static final int MASK = 0xa282ead8;

    private RecycledRecords() {}

    /** Where in the file the kind of such a record stands; usually nowhere. */
    static List<Long> in(Path file) throws IOException {
        List<Long> found = new ArrayList<>();
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            byte[] block = new byte[BLOCK_BYTES];
            for (long begin = 0; begin < in.length(); begin += BLOCK_BYTES) {
                in.seek(begin);
                int length = (int) Math.min(BLOCK_BYTES, in.length() - begin);
                in.readFully(block, 0, length);
                look(block, length, begin, found);
            }
        }
        return found;
    }

    private static void look(byte[] block, int length, long begin, List<Long> found) {
        ByteBuffer bytes = ByteBuffer.wrap(block, 0, length).order(ByteOrder.LITTLE_ENDIAN);
        int at = 0;
        while (at + HEADER_BYTES <= length) {
            int kind = block[at + KIND_AT];
            int end = at + HEADER_BYTES + length(bytes, at);
            if (kind >= FIRST_RECYCLED && kind <= LAST_RECYCLED) {
                found.add(begin + at + KIND_AT);
                block[at + KIND_AT] = (byte) (kind - RECYCLED_MORE);
            }
            if (end > length || bytes.getInt(at) != checksum(block, at + KIND_AT, end)) {
                return;
            }
            at = end;
        }
    }

    /** Of the content of the record at {@code at}; little endian. */
    static int length(ByteBuffer bytes, int at) {
        return bytes.getShort(at + LENGTH_AT) & 0xFFFF;
    }

    static int checksum(byte[] block, int from, int end) {
        CRC32C crc = new CRC32C();
        crc.update(block, from, end - from);
        return masked(crc);
    }

    /** As it stands in files: one that is itself part of content must not be taken for content's. */
    static int masked(CRC32C crc) {
        int plain = (int) crc.getValue();
        return (plain >>> 15 | plain << 17) + MASK;
    }

    /** Takes the bit back. If no other one was flipped, the checksum fits again; else the record is damaged in a way that RocksDB can tell. */
    static void straighten(Path file) throws IOException {
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            for (long at : in(file)) {
                out.seek(at);
                int kind = out.read();
                out.seek(at);
                out.write(kind - RECYCLED_MORE);
            }
            out.getFD().sync();
        }
    }
}
