package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Brings files into a repository, by content. May publish deltas meanwhile. */
public interface SnapshotUpload {
    /**
     * Sees to it that the repository holds every file.
     *
     * @param files all of a checkpoint
     * @param writer whose they are
     * @param before where the chain stands; null before the first snapshot
     * @return for each file where it is: a blob that {@code before}'s snapshot names, or one of the newest epoch
     */
    List<FileRef> upload(List<Checkpoint.File> files, int writer, @Nullable ChainState before)
            throws BlobException, DamagedException, IOException, FencedException;
}
