package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobSource;
import java.io.IOException;
import java.util.List;

/**
 * Files that hold everything a database held at one moment, and that do not change any more.
 *
 * @param sequence the last sequence number in them
 * @param asOfMillis everything in them was committed at or before this moment
 * @param files all of them
 */
public record Checkpoint(long sequence, long asOfMillis, List<File> files) {
    /** Copies. */
    public Checkpoint {
        files = List.copyOf(files);
    }

    /** One of them. */
    public interface File {
        /** Its name in the database's folder. */
        String name();

        /** Its bytes. */
        BlobSource source();

        /** SHA-256 of its last 4 KiB, cut to 32 hex digits. */
        String tail() throws IOException;
    }
}
