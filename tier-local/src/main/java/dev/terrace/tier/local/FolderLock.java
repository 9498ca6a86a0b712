package dev.terrace.tier.local;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** One process per folder, by a lock of the operating system, which ends with the process however that ends. Names its owner in the file. */
final class FolderLock implements AutoCloseable {
    private static final int MOST_DIGITS = 20;

    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /** Takes the lock at once or says who has it. */
    static FolderLock take(Path folder) throws IOException {
        FileChannel channel = FileChannel.open(
                folder.resolve("l1.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        boolean taken = false;
        try {
            if (lock(channel) == null) {
                String owner = owner(channel);
                throw new SetupException(
                        "the folder " + folder + " of local_cache.persist is in use by "
                                + (owner.isEmpty() ? "another process" : "process " + owner),
                        "give each process a folder of its own, or stop the other one");
            }
            channel.truncate(0);
            ByteBuffer pid =
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(US_ASCII));
            while (pid.hasRemaining()) {
                channel.write(pid, pid.position());
            }
            taken = true;
            return new FolderLock(channel);
        } finally {
            if (!taken) {
                channel.close();
            }
        }
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException mine) {
            return null; // Held by another tier of this very process.
        }
    }

    private static String owner(FileChannel channel) throws IOException {
        ByteBuffer pid = ByteBuffer.allocate(MOST_DIGITS);
        channel.read(pid, 0);
        return new String(pid.array(), 0, pid.position(), US_ASCII).trim();
    }

    /** Lets others in. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the lock of the local tier's folder cannot be given back", e);
        }
    }
}
