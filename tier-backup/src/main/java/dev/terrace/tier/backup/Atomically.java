package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Replaces small files so that a crash leaves the old or the new content, never a mix. */
final class Atomically {
    private Atomically() {}

    /** Writes a neighbour, syncs it, renames it over {@code file} and syncs the folder. Readable by the owner only. */
    static void write(Path file, byte[] content) throws IOException {
        Path next = neighbour(file);
        Files.deleteIfExists(next);
        Path folder = folderOf(file);
        if (Files.getFileStore(folder).supportsFileAttributeView("posix")) {
            Files.createFile(next, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } else {
            Files.createFile(next);
        }
        try (FileChannel out = FileChannel.open(next, StandardOpenOption.WRITE)) {
            ByteBuffer left = ByteBuffer.wrap(content);
            while (left.hasRemaining()) {
                out.write(left);
            }
            out.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Synced.folder(folder);
    }

    /** The name used while writing {@code file}; a crash may leave it behind. */
    static Path neighbour(Path file) {
        return file.resolveSibling(file.getFileName() + ".new");
    }

    /** The folder that {@code file} lies in. */
    static Path folderOf(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IllegalArgumentException(file + " is not in a folder");
        }
        return folder;
    }
}
