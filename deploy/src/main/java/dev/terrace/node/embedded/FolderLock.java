package dev.terrace.node.embedded;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One process per folder, by a lock of the operating system: it goes when the process goes, however that dies. */
final class FolderLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FolderLock.class);

    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    static FolderLock take(Path folder) {
        Path file = folder.resolve("terrace.lock");
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return new FolderLock(channel);
            }
            close(channel);
            throw inUse(folder, null);
        } catch (OverlappingFileLockException e) {
            close(channel);
            throw inUse(folder, e);
        } catch (IOException e) {
            close(channel);
            throw EmbeddedRedis.cannotWrite(folder, e);
        }
    }

    private static SetupException inUse(Path folder, @Nullable Throwable cause) {
        return new SetupException(
                "the folder '" + folder + "' of the embedded Redis is in use by another node",
                "stop that node, or choose another data folder",
                cause);
    }

    private static void close(@Nullable FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                LOG.debug("lock file did not close", e);
            }
        }
    }

    @Override
    public void close() {
        close(channel);
    }
}
