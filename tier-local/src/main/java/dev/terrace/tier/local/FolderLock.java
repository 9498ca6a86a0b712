package dev.terrace.tier.local;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** One process per folder, by a lock of the operating system, which ends with the process however that ends. Names its owner in the file. */
final class FolderLock implements AutoCloseable {
    private static final int MOST_DIGITS = 20;

    /**
     * The folders that this process has. Asked before the file is opened: whoever closes any descriptor of a file gives back all locks
     * that the process has on it.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** Takes the lock at once or says who has it. */
    static FolderLock take(Path folder) throws IOException {
        Path real = folder.toRealPath();
        if (!HELD.add(real)) {
            throw inUse(folder, Long.toString(ProcessHandle.current().pid()));
        }
        FileChannel channel = null;
        boolean taken = false;
        try {
            Path file = folder.resolve("l1.lock");
            OwnerOnly.create(file);
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            String owner = owner(channel);
            try {
                if (channel.tryLock() == null) {
                    throw inUse(folder, owner);
                }
            } catch (OverlappingFileLockException ofAnotherClassLoader) {
                // Stays open, because to close it would give that lock away.
                channel = null;
                throw inUse(folder, owner);
            }
            channel.truncate(0);
            ByteBuffer pid =
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(US_ASCII));
            while (pid.hasRemaining()) {
                channel.write(pid, pid.position());
            }
            FolderLock lock = new FolderLock(real, channel);
            taken = true;
            return lock;
        } finally {
            if (!taken) {
                try {
                    if (channel != null) {
                        channel.close();
                    }
                } finally {
                    HELD.remove(real);
                }
            }
        }
    }

    private static SetupException inUse(Path folder, String owner) {
        return new SetupException(
                "the folder " + folder + " of local_cache.persist is in use by "
                        + (owner.isEmpty() ? "another process" : "process " + owner),
                "give each process a folder of its own, or stop the other one");
    }

    private static String owner(FileChannel channel) throws IOException {
        ByteBuffer pid = ByteBuffer.allocate(MOST_DIGITS);
        channel.read(pid, 0);
        return new String(pid.array(), 0, pid.position(), US_ASCII).trim();
    }

    /** Lets others in. The first call does it. */
    @Override
    public void close() {
        if (!channel.isOpen()) {
            // Another may have the folder by now.
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the lock of the local tier's folder cannot be given back", e);
        } finally {
            HELD.remove(folder);
        }
    }
}
