package dev.terrace.tier.backup;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether writing works. A full disk heals when there is space again; a failed sync never does, because what the
 * operating system dropped then cannot be known: only opening anew, which checks the log, makes it whole. Thread-safe.
 */
final class StorageHealth {
    private static final Logger LOG = LoggerFactory.getLogger(StorageHealth.class);

    private final Path folder;
    private volatile @Nullable String failure;
    private volatile @Nullable String syncFailure;

    StorageHealth(Path folder) {
        this.folder = folder;
    }

    /** A write failed. */
    void failed(RocksDBException e) {
        String text = isNoSpace(e)
                ? "the disk of " + folder + " is full; free space there, writing resumes by itself"
                : "writing to " + folder + " fails (" + e.getMessage() + "); reads go on, check the disk";
        if (failure == null) {
            LOG.error("backup cannot write, reads go on folder={} reason={}", folder, e.getMessage());
        }
        failure = text;
    }

    /** Bringing the log to the disk failed. */
    void syncFailed(RocksDBException e) {
        if (isNoSpace(e)) {
            failed(e);
            return;
        }
        LOG.error("backup cannot sync, it takes no writes until restarted folder={}", folder, e);
        syncFailure = "syncing " + folder + " failed (" + e.getMessage()
                + "); no write is taken until the process is restarted, check the disk first";
    }

    /** A write went through. */
    void worked() {
        if (failure != null) {
            LOG.info("backup writes again folder={}", folder);
            failure = null;
        }
    }

    /** Why no write may even be tried, or null. */
    @Nullable
    String refusal() {
        return syncFailure;
    }

    /** What is wrong, or null. */
    @Nullable
    String detail() {
        return syncFailure != null ? syncFailure : failure;
    }

    private static boolean isNoSpace(RocksDBException e) {
        Status status = e.getStatus();
        return status != null && status.getSubCode() == Status.SubCode.NoSpace
                || String.valueOf(e.getMessage()).contains("No space left");
    }
}
