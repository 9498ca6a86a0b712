package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/** Files that nobody but their owner reads, where the file system knows owners: entries may be anything. */
final class OwnerOnly {
    private OwnerOnly() {}

    /** Makes an empty file unless there is one. */
    static void create(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        boolean posix = folder != null && Files.getFileStore(folder).supportsFileAttributeView("posix");
        FileAttribute<?>[] attributes = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
        if (!Files.exists(file)) {
            try {
                Files.createFile(file, attributes);
            } catch (FileAlreadyExistsException there) {
                // By another process, at the same moment; the lock says who has the folder.
                return;
            }
        }
    }
}
