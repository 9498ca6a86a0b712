package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One owner per folder, across processes by an operating system lock, within this process by a set: closing a second
 * channel on a file would give up the first one's lock.
 */
final class OwnerLock implements AutoCloseable {
    private static final Set<Path> TAKEN_HERE = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;
    private final FileLock lock;

    private OwnerLock(Path file, FileChannel channel, FileLock lock) {
        this.file = file;
        this.channel = channel;
        this.lock = lock;
    }

    /**
     * @param setting names the folder to people
     */
    static OwnerLock take(String setting, Path owner) throws IOException {
        Path folder = Atomically.folderOf(owner).toRealPath();
        Path file = folder.resolve(owner.getFileName());
        if (!TAKEN_HERE.add(file)) {
            throw inUse(
                    setting,
                    folder,
                    "this process (pid " + ProcessHandle.current().pid() + ")");
        }
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                FileLock lock = channel.tryLock();
                if (lock == null) {
                    String pid =
                            Files.readString(file, StandardCharsets.US_ASCII).strip();
                    throw inUse(setting, folder, pid.isEmpty() ? "another process" : "process " + pid);
                }
                channel.truncate(0);
                channel.write(
                        ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
                return new OwnerLock(file, channel, lock);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            TAKEN_HERE.remove(file);
            throw e;
        }
    }

    private static SetupException inUse(String setting, Path folder, String owner) {
        return new SetupException(
                setting + " " + folder + " is in use by " + owner + "; nothing was changed",
                "stop it, or give each process a folder of its own");
    }

    @Override
    public void close() {
        try {
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot release " + file, e);
        } finally {
            TAKEN_HERE.remove(file);
        }
    }
}
