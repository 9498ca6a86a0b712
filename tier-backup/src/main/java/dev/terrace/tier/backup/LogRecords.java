package dev.terrace.tier.backup;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Reads a log or manifest of RocksDB record by record ("write ahead log file format": see {@link RecycledRecords}); what a record continues in the
 * next block is put together. The end of a log that was copied while it was written may be torn and is left out. Holds one record.
 */
final class LogRecords {
    private static final int FULL = 1;
    private static final int FIRST = 2;
    private static final int MIDDLE = 3;
    private static final int LAST = 4;

    private LogRecords() {}

    /** Is handed each record. */
    interface Visitor {
        void record(byte[] record) throws IOException;
    }

    /** Reads {@code file} from its beginning to its end. */
    static void read(Path file, Visitor visitor) throws IOException {
        ByteArrayOutputStream parts = new ByteArrayOutputStream();
        byte[] block = new byte[RecycledRecords.BLOCK_BYTES];
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            for (long begin = 0; begin < in.length(); begin += block.length) {
                int length = (int) Math.min(block.length, in.length() - begin);
                in.readFully(block, 0, length);
                if (!read(block, length, parts, visitor) && begin + block.length < in.length()) {
                    throw new IOException(file.getFileName() + " is damaged at " + begin);
                }
            }
        }
    }

    /** Returns false where a record is not whole. */
    private static boolean read(byte[] block, int length, ByteArrayOutputStream parts, Visitor visitor)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(block, 0, length).order(ByteOrder.LITTLE_ENDIAN);
        int at = 0;
        while (at + RecycledRecords.HEADER_BYTES <= length) {
            int kind = block[at + RecycledRecords.KIND_AT] & 0xFF;
            int from = at + RecycledRecords.HEADER_BYTES;
            int end = from + RecycledRecords.length(bytes, at);
            if (kind == 0) {
                return true; // Room that was made and not used.
            }
            if (end > length
                    || bytes.getInt(at) != RecycledRecords.checksum(block, at + RecycledRecords.KIND_AT, end)) {
                return false;
            }
            if (kind == FULL || kind == FIRST) {
                parts.reset();
            }
            if (kind >= FULL && kind <= LAST) {
                parts.write(block, from, end - from);
            }
            if (kind == FULL || kind == LAST) {
                visitor.record(parts.toByteArray());
            } else if (kind > MIDDLE) {
                parts.reset();
            }
            at = end;
        }
        return true;
    }
}
