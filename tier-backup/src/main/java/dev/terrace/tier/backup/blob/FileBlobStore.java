package dev.terrace.tier.backup.blob;

import dev.terrace.spi.BlobCapabilities;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobName;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Blobs as files. A write goes to an unfinished file, is synced, and is renamed over its name, or linked to it when only an absent one
 * is to be made: a link is made by one of several, on local disks and on NFS from version 3 on. Then the folder is synced.
 *
 * <p>Bounded by what the disk takes: a mounted disk that hangs hangs its callers, and an interrupt helps only between pieces.
 */
final class FileBlobStore implements BlobStore {
    private static final int PIECE = 1 << 16;

    private final BlobFolder folder;
    private final BlobCapabilities capabilities;
    private volatile boolean closed;

    private FileBlobStore(BlobFolder folder, BlobCapabilities capabilities) {
        this.folder = folder;
        this.capabilities = capabilities;
    }

    static FileBlobStore open(Path path) throws IOException {
        BlobFolder folder = BlobFolder.take(path);
        return new FileBlobStore(folder, new BlobCapabilities(linksOnce(folder)));
    }

    /** Whether a second link to a name is refused. Some mounted disks know no links, and a reader may not write. */
    private static boolean linksOnce(BlobFolder folder) throws IOException {
        if (!Files.isWritable(folder.root())) {
            return false;
        }
        Path first = folder.unfinished().resolve(UUID.randomUUID() + ".probe");
        Path second = first.resolveSibling(first.getFileName() + "2");
        try {
            Files.createFile(first, folder.ofFiles());
            Files.createLink(second, first);
            Files.createLink(second, first);
            return false;
        } catch (FileAlreadyExistsException e) {
            return true;
        } catch (UnsupportedOperationException e) {
            return false;
        } catch (IOException e) {
            if (!Files.exists(first)) {
                throw e;
            }
            return false;
        } finally {
            Files.deleteIfExists(second);
            Files.deleteIfExists(first);
        }
    }

    @Override
    public URI location() {
        return folder.root().toUri();
    }

    @Override
    public BlobCapabilities capabilities() {
        return capabilities;
    }

    /** The blob's file. */
    private Path file(String name) throws BlobException {
        Path file = folder.file(BlobName.require(name));
        alive(file);
        return file;
    }

    private void alive(Path file) throws BlobException {
        if (closed) {
            throw new BlobException(Kind.CLOSED, "the blob folder " + folder.root() + " is closed", null);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new BlobException(Kind.INTERRUPTED, "interrupted at " + file, null);
        }
    }

    @Override
    public Optional<Stat> stat(String name) throws BlobException {
        Path file = file(name);
        try {
            return Optional.ofNullable(BlobWalk.stat(folder.within(file), name));
        } catch (IOException e) {
            throw Failures.of(file, e);
        }
    }

    @Override
    public Optional<byte[]> read(String name, int mostBytes) throws BlobException {
        Path file = file(name);
        FileChannel channel = channel(file, name);
        if (channel == null) {
            return Optional.empty();
        }
        try (channel) {
            // Of the open file: whoever replaces the name does not change what was opened.
            long length = channel.size();
            if (length > mostBytes) {
                throw new BlobException(
                        Kind.TOO_LARGE, file + " has " + length + " bytes; at most " + mostBytes + " are read", null);
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) length);
            while (bytes.hasRemaining()) {
                if (channel.read(bytes) < 0) {
                    throw new BlobException(Kind.CORRUPT, file + " became shorter while it was read", null);
                }
            }
            return Optional.of(bytes.array());
        } catch (IOException e) {
            throw Failures.of(file, e);
        }
    }

    private @Nullable FileChannel channel(Path file, String name) throws BlobException {
        try {
            if (BlobWalk.stat(folder.within(file), name) == null) {
                return null;
            }
            return FileChannel.open(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw Failures.of(file, e);
        }
    }

    @Override
    public InputStream open(String name, long offset, long length) throws BlobException {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("offset " + offset + ", length " + length);
        }
        Path file = file(name);
        FileChannel channel = channel(file, name);
        if (channel == null) {
            throw new BlobException(Kind.ABSENT, "there is no blob " + file, null);
        }
        try {
            long size = channel.size();
            if (offset > size || length > size - offset) {
                throw new BlobException(
                        Kind.CORRUPT, file + " has " + size + " bytes; wanted " + length + " from " + offset, null);
            }
            return new FileRange(channel.position(offset), file, length);
        } catch (IOException e) {
            close(channel, e);
            throw Failures.of(file, e);
        } catch (BlobException e) {
            close(channel, e);
            throw e;
        }
    }

    private static void close(FileChannel channel, Exception why) {
        try {
            channel.close();
        } catch (IOException e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException {
        Path file = file(name);
        if (onlyIfAbsent && !capabilities.createsIfAbsent()) {
            throw new BlobException(
                    Kind.UNSUPPORTED,
                    folder.root()
                            + " is on a disk without hard links: of several writers none could be the one to make "
                            + name,
                    null);
        }
        if (onlyIfAbsent && source.length() > MOST_BYTES_IF_ABSENT) {
            throw new BlobException(
                    Kind.TOO_LARGE,
                    file + " has " + source.length() + " bytes; created only if absent it may have "
                            + MOST_BYTES_IF_ABSENT,
                    null);
        }
        Path next = null;
        try {
            next = folder.unfinished().resolve(UUID.randomUUID().toString());
            copy(source, next, file);
            folder.makeFolderFor(file);
            return publish(next, file, onlyIfAbsent);
        } catch (IOException e) {
            throw Failures.of(file, e);
        } finally {
            discard(next);
        }
    }

    private Written publish(Path next, Path file, boolean onlyIfAbsent) throws IOException {
        Path parent = file.resolveSibling(".");
        if (!onlyIfAbsent) {
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } else {
            try {
                Files.createLink(file, next);
            } catch (FileAlreadyExistsException e) {
                // A mounted disk may repeat a request whose answer was lost: then the link that is there is this one.
                if (links(next) != 2) {
                    return Written.EXISTED;
                }
            }
        }
        BlobFolder.sync(parent);
        return Written.STORED;
    }

    private static int links(Path file) throws IOException {
        return Files.getFileStore(file).supportsFileAttributeView("unix")
                ? (Integer) Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS)
                : 1;
    }

    private void copy(BlobSource source, Path next, Path file) throws IOException, BlobException {
        Files.createFile(next, folder.ofFiles());
        try (FileChannel out = FileChannel.open(next, StandardOpenOption.WRITE);
                InputStream in = opened(source, file)) {
            byte[] piece = new byte[PIECE];
            long written = 0;
            for (int count = read(in, piece, file); count >= 0; count = read(in, piece, file)) {
                written += count;
                ByteBuffer left = ByteBuffer.wrap(piece, 0, count);
                while (left.hasRemaining()) {
                    out.write(left);
                }
                alive(file);
            }
            if (written != source.length()) {
                throw new BlobException(
                        Kind.CORRUPT,
                        file + " was to have " + source.length() + " bytes, its source has " + written,
                        null);
            }
            out.force(true);
        }
    }

    private static InputStream opened(BlobSource source, Path file) throws BlobException {
        try {
            return source.open(0);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static int read(InputStream in, byte[] piece, Path file) throws BlobException {
        try {
            return in.read(piece);
        } catch (ClosedByInterruptException e) {
            throw Failures.of(file, e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static BlobException unreadable(Path file, IOException e) {
        return new BlobException(Kind.CORRUPT, "the source of " + file + " cannot be read: " + Failures.reason(e), e);
    }

    /** What stays is found by {@link #discardUnfinished}. */
    private static void discard(@Nullable Path next) {
        if (next != null) {
            try {
                Files.deleteIfExists(next);
            } catch (IOException e) {
                LoggerFactory.getLogger(FileBlobStore.class).debug("cannot remove {}", next, e);
            }
        }
    }

    @Override
    public Page list(String prefix, @Nullable String after, int most) throws BlobException {
        BlobName.requirePrefix(prefix);
        if (most < 1) {
            throw new IllegalArgumentException("a page of " + most);
        }
        alive(folder.root());
        try {
            return new BlobWalk(folder, prefix, after, most).page();
        } catch (IOException e) {
            throw Failures.of(folder.root(), e);
        }
    }

    @Override
    public void delete(Collection<String> names) throws BlobException {
        names.forEach(BlobName::require);
        Set<Path> parents = new LinkedHashSet<>();
        for (String name : names) {
            Path file = file(name);
            try {
                if (BlobWalk.stat(folder.within(file), name) != null && Files.deleteIfExists(file)) {
                    parents.add(file.resolveSibling("."));
                }
            } catch (IOException e) {
                throw Failures.of(file, e);
            }
        }
        // Empty folders stay: another writer may be about to put something there.
        for (Path parent : parents) {
            try {
                BlobFolder.sync(parent);
            } catch (IOException e) {
                throw Failures.of(parent, e);
            }
        }
    }

    @Override
    public int discardUnfinished(long olderThanMillis) throws BlobException {
        alive(folder.root());
        Path unfinished = folder.root().resolve(BlobFolder.UNFINISHED);
        int discarded = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(unfinished)) {
            for (Path file : files) {
                Stat stat = BlobWalk.stat(file, "unfinished");
                if (stat != null && stat.modifiedMillis() < olderThanMillis && Files.deleteIfExists(file)) {
                    discarded++;
                }
            }
            return discarded;
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            throw Failures.of(unfinished, e);
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
