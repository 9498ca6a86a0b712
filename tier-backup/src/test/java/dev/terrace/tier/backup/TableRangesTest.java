package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a manifest says, edit by edit. */
class TableRangesTest {
    private static final int DELETED_FILE = 6;
    private static final int NEW_FILE = 103;

    @TempDir
    Path temp;

    private static byte[] added(int level, int file) {
        ByteArrayOutputStream edit = new ByteArrayOutputStream();
        edit.write(NEW_FILE);
        edit.write(level);
        edit.write(file);
        edit.write(100); // Its length.
        for (char key : new char[] {'a', 'z'}) {
            edit.write(9);
            edit.write(key);
            edit.writeBytes(new byte[8]);
        }
        edit.write(1); // Sequence numbers.
        edit.write(5);
        edit.write(1); // No more fields.
        return edit.toByteArray();
    }

    private static byte[] deleted(int level, int file) {
        return new byte[] {DELETED_FILE, (byte) level, (byte) file};
    }

    private static byte[] record(byte[]... edits) {
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        for (byte[] edit : edits) {
            payload.writeBytes(edit);
        }
        int end = RecycledRecords.HEADER_BYTES + payload.size();
        byte[] whole = ByteBuffer.allocate(end)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0)
                .putShort((short) payload.size())
                .put((byte) 1)
                .put(payload.toByteArray())
                .array();
        ByteBuffer.wrap(whole)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(RecycledRecords.checksum(whole, RecycledRecords.KIND_AT, end));
        return whole;
    }

    @Test
    void aFileThatWasDeletedIsForgottenAndOneThatMovedIsWhereItWent() throws Exception {
        ByteArrayOutputStream manifest = new ByteArrayOutputStream();
        manifest.writeBytes(record(added(0, 7), added(0, 8)));
        manifest.writeBytes(record(deleted(0, 8), added(1, 8)));
        manifest.writeBytes(record(deleted(0, 7)));
        Path file = Files.write(temp.resolve("MANIFEST-000001"), manifest.toByteArray());
        TableRanges ranges = TableRanges.in(file);
        assertThat(ranges.of("000007.sst")).isNull();
        assertThat(Objects.requireNonNull(ranges.of("000008.sst")).level()).isEqualTo(1);
    }
}
