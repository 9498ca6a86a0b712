package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Replaces small files so that the old content is overwritten, not only forgotten. A crash leaves the old or the new content, and {@link #finish}
 * does the rest. What a file system keeps of its own (journals, snapshots, spare blocks of flash) is out of reach.
 */
final class Scrubbed {
    private static final String SUFFIX = ".scrub";

    private Scrubbed() {}

    /** As {@link Atomically#write}, and overwrites what {@code file} was. */
    static void replace(Path file, byte[] content) throws IOException {
        finish(file);
        overwrite(Atomically.neighbour(file)); // Of a write that a crash ended.
        Path old = old(file);
        Files.createLink(old, file);
        Atomically.write(file, content);
        finish(file);
    }

    /** Overwrites what a crash has left of a former {@link #replace}. */
    static void finish(Path file) throws IOException {
        Path old = old(file);
        if (!Files.exists(old)) {
            return;
        }
        if (!Files.isSameFile(old, file)) {
            overwrite(old);
        }
        Files.deleteIfExists(old);
    }

    private static Path old(Path file) {
        return file.resolveSibling(file.getFileName() + SUFFIX);
    }

    private static void overwrite(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocate(Math.toIntExact(channel.size()));
            while (zeros.hasRemaining()) {
                channel.write(zeros);
            }
            channel.force(true);
        } catch (NoSuchFileException e) {
            return; // Nothing to overwrite.
        }
        Files.delete(file);
    }
}
