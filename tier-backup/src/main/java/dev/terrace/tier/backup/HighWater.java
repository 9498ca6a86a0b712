package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32C;

/**
 * The sequence number up to which RocksDB's log was synced, kept outside that log: what a recovered database lacks of it
 * was lost. Written by a rename without a sync of its own, so it may lag behind, never run ahead.
 */
final class HighWater {
    private static final int MAGIC = 0x54485744; // THWD
    private static final int BYTES = 16;

    private final Path file;
    private long written = -1;

    HighWater(Path file) {
        this.file = file;
    }

    /** The mark, or 0 when there is none that can be believed. */
    long read() throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return 0;
        }
        if (bytes.length != BYTES) {
            return 0;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        return in.getInt(0) == MAGIC && in.getInt(12) == checksum(bytes) ? in.getLong(4) : 0;
    }

    /** Remembers that everything up to {@code sequence} is on disk. */
    void write(long sequence) throws IOException {
        if (sequence == written) {
            return;
        }
        ByteBuffer out = ByteBuffer.allocate(BYTES).putInt(MAGIC).putLong(sequence);
        out.putInt(checksum(out.array()));
        Path next = Atomically.neighbour(file);
        Files.write(next, out.array());
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        written = sequence;
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, BYTES - 4);
        return (int) crc.getValue();
    }
}
