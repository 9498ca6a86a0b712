package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * How far RocksDB had come, kept outside its files: the sequence number up to which its log was synced, and how long its manifest was. What a
 * recovered database lacks of it was lost. Written by a rename without a sync of its own, so it may lag behind. The log was synced before; of
 * the manifest RocksDB syncs what it has written at once, so that a power cut in that moment may leave less of it than is noted here, and
 * nothing lost.
 */
final class HighWater {
    private static final int MAGIC = 0x54485745; // THWE
    private static final int BYTES = 32;
    private static final int FORMER_MAGIC = 0x54485744; // THWD
    private static final int FORMER_BYTES = 16;
    private static final Pattern MANIFEST = Pattern.compile("MANIFEST-(\\d{1,18})");

    private final Path file;
    private Mark written = Mark.NONE;

    /**
     * What is noted.
     *
     * @param sequence up to which the log was synced
     * @param manifest the number of the manifest; 0 when that is not known
     * @param manifestBytes how long it was
     */
    record Mark(long sequence, long manifest, long manifestBytes) {
        /** Nothing. */
        static final Mark NONE = new Mark(0, 0, 0);
    }

    HighWater(Path file) {
        this.file = file;
    }

    /** The mark; {@link Mark#NONE} when there is none that can be believed. */
    Mark read() throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return Mark.NONE;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (isWhole(in, BYTES, MAGIC)) {
            return new Mark(in.getLong(4), in.getLong(12), in.getLong(20));
        }
        return isWhole(in, FORMER_BYTES, FORMER_MAGIC) ? new Mark(in.getLong(4), 0, 0) : Mark.NONE;
    }

    private static boolean isWhole(ByteBuffer in, int length, int magic) {
        return in.capacity() == length && in.getInt(0) == magic && in.getInt(length - 4) == checksum(in, length);
    }

    /** Whether the manifest that is in force is the one of {@code mark}, and has lost its end since. To be asked before RocksDB makes a new one. */
    boolean isManifestCut(Mark mark) throws IOException {
        Mark now = manifest(0);
        return mark.manifest() > 0 && now.manifest() == mark.manifest() && now.manifestBytes() < mark.manifestBytes();
    }

    /** Remembers that everything up to {@code sequence} is on disk. */
    void write(long sequence) throws IOException {
        Mark mark = manifest(sequence);
        if (mark.equals(written)) {
            return;
        }
        ByteBuffer out = ByteBuffer.allocate(BYTES)
                .putInt(MAGIC)
                .putLong(mark.sequence())
                .putLong(mark.manifest())
                .putLong(mark.manifestBytes());
        out.putInt(checksum(out, BYTES));
        Path next = Atomically.neighbour(file);
        Files.write(next, out.array());
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        written = mark;
    }

    private Mark manifest(long sequence) throws IOException {
        Path database = file.resolveSibling(Folder.DATABASE);
        try {
            String current = Files.readString(database.resolve("CURRENT"), StandardCharsets.US_ASCII)
                    .strip();
            Matcher parts = MANIFEST.matcher(current);
            if (parts.matches()) {
                return new Mark(sequence, Long.parseLong(parts.group(1)), Files.size(database.resolve(current)));
            }
        } catch (NoSuchFileException e) {
            // None yet, or it has just been replaced: the next note has it.
        }
        return new Mark(sequence, 0, 0);
    }

    private static int checksum(ByteBuffer bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(0).limit(length - 4));
        return (int) crc.getValue();
    }
}
