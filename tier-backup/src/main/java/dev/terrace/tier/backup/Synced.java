package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Brings what was written to the disk, so that power may fail. */
final class Synced {
    private Synced() {}

    /** Content and length of a file, whoever wrote it. */
    static void file(Path file) throws IOException {
        try (FileChannel written = FileChannel.open(file, StandardOpenOption.WRITE)) {
            written.force(true);
        }
    }

    /** Which names are in a folder. */
    static void folder(Path folder) throws IOException {
        if (!System.getProperty("os.name", "").startsWith("Windows")) { // It cannot open folders.
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
