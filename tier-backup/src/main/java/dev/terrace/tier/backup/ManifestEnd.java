package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Tells a manifest of RocksDB that a crash cut off in the middle of its last record from one with a flipped bit. RocksDB takes a record
 * that is longer than what is left of the file for one that was never written whole, and says nothing: with a bit flipped in a length, all that
 * follows is gone, and the table files that it names are deleted. But a checksum does not cover the length: if it fits at any other one,
 * or if a whole record follows, the record was whole.
 *
 * <p>The format is that of {@link RecycledRecords}. What lies in earlier blocks, and what does not fit its checksum, RocksDB refuses itself.
 */
final class ManifestEnd {
    private static final int LAST_KIND = 4;

    private ManifestEnd() {}

    /** Whether RocksDB would pass over something that was written whole. */
    static boolean isHidden(Path manifest) throws IOException {
        byte[] all = Files.readAllBytes(manifest);
        int begin = all.length / RecycledRecords.BLOCK_BYTES * RecycledRecords.BLOCK_BYTES;
        ByteBuffer bytes = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
        int at = begin;
        while (at + RecycledRecords.HEADER_BYTES <= all.length) {
            int end = at + RecycledRecords.HEADER_BYTES + RecycledRecords.length(bytes, at);
            if (end > all.length) {
                return fitsAnyLength(bytes, at) || isFollowed(all, bytes, at);
            }
            at = end;
        }
        return false;
    }

    private static boolean fitsAnyLength(ByteBuffer bytes, int at) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.get(at + RecycledRecords.KIND_AT) & 0xFF);
        int wanted = bytes.getInt(at);
        for (int end = at + RecycledRecords.HEADER_BYTES; end < bytes.limit(); end++) {
            crc.update(bytes.get(end) & 0xFF);
            if (RecycledRecords.masked(crc) == wanted) {
                return true;
            }
        }
        return false;
    }

    private static boolean isFollowed(byte[] all, ByteBuffer bytes, int damaged) {
        for (int at = damaged + 1; at + RecycledRecords.HEADER_BYTES < bytes.limit(); at++) {
            int kind = bytes.get(at + RecycledRecords.KIND_AT);
            int end = at + RecycledRecords.HEADER_BYTES + RecycledRecords.length(bytes, at);
            if (kind >= 1
                    && kind <= LAST_KIND
                    && end <= bytes.limit()
                    && bytes.getInt(at) == RecycledRecords.checksum(all, at + RecycledRecords.KIND_AT, end)) {
                return true;
            }
        }
        return false;
    }
}
