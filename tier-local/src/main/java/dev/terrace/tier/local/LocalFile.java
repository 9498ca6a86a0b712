package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the file of entries in its folder, or makes one; what is there and is none, or not this one, is set aside under a name that says why. */
final class LocalFile {
    private static final Logger LOG = LoggerFactory.getLogger(LocalFile.class);
    private static final String NAME = "l1.terrace";
    private static final int ZEROS = 1 << 20;

    /** No file system has smaller ones, and the file is a multiple of it. */
    private static final int LEAST_HOLE = 512;

    /** What was set aside and may be thrown away when the next is: files of our own. */
    private static final Pattern OURS = Pattern.compile(
            "l1\\.terrace\\.(truncated|damaged|other-size|format-\\d+|unsynced|unreadable|markers-lost)-\\d{8}T\\d{9}Z");

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Path path;
    private final FileLayout layout;

    LocalFile(Path folder, FileLayout layout) {
        this.path = folder.resolve(NAME);
        this.layout = layout;
    }

    /** The file of an earlier process if it is sound at first sight; null when there is none any more. */
    @Nullable
    FileChannel find() throws IOException {
        FileChannel file;
        try {
            file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (NoSuchFileException none) {
            return null;
        }
        String flaw = "unreadable";
        try {
            flaw = FileHeader.flaw(file, layout);
        } finally {
            if (flaw != null) {
                file.close();
            }
        }
        if (flaw == null) {
            return file;
        }
        setAside(flaw);
        return null;
    }

    /** Keeps what cannot be used under another name, and L1 starts empty. */
    void setAside(String why) throws IOException {
        deleteOlder(older -> true);
        String name = NAME + "." + why + "-"
                + STAMP.format(Files.getLastModifiedTime(path).toInstant());
        Path aside = path.resolveSibling(name);
        for (int more = 2; Files.exists(aside); more++) {
            aside = path.resolveSibling(name + "-" + more);
        }
        Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
        LOG.warn("the local tier starts empty, its file was set aside reason={} file={}", why, aside);
    }

    /** How many of our own files that were set aside are deleted. */
    private int deleteOlder(Predicate<String> which) throws IOException {
        try (Stream<Path> files = Files.list(path.toAbsolutePath().getParent())) {
            List<Path> older = files.filter(
                            file -> OURS.matcher(file.getFileName().toString()).matches()
                                    && which.test(file.getFileName().toString()))
                    .toList();
            for (Path file : older) {
                Files.delete(file);
            }
            return older.size();
        }
    }

    /** Makes a file in which every page has its room on the disk, in the end in the place of one that was set aside. */
    FileChannel create() throws IOException {
        try {
            return make();
        } catch (IOException noRoom) {
            // What could not be read may say something about the disk; of what was not wanted any more nobody needs a
            // copy.
            int deleted = deleteOlder(name -> !name.startsWith(NAME + ".unreadable"));
            if (deleted == 0) {
                throw cannotBeMade(noRoom);
            }
            LOG.warn(
                    "the file that was set aside is deleted, there is no room for both folder={}",
                    path.getParent(),
                    noRoom);
        }
        try {
            return make();
        } catch (IOException e) {
            throw cannotBeMade(e);
        }
    }

    private SetupException cannotBeMade(IOException why) {
        return new SetupException(
                "the file of the local tier, of " + layout.fileBytes() + " bytes, cannot be made in " + path.getParent()
                        + ": " + why.getMessage(),
                "make room on that disk, lower local_cache.max_memory_mb, or leave local_cache.persist out",
                why);
    }

    private FileChannel make() throws IOException {
        Path fresh = path.resolveSibling(NAME + ".new");
        Files.deleteIfExists(fresh);
        OwnerOnly.create(fresh);
        FileChannel file = FileChannel.open(fresh, StandardOpenOption.READ, StandardOpenOption.WRITE);
        boolean created = false;
        try {
            fill(file);
            ByteBuffer header = new FileHeader(FileHeader.FORMAT, layout, new SecureRandom().nextLong()).bytes();
            while (header.hasRemaining()) {
                file.write(header, header.position());
            }
            file.force(true);
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
            created = true;
            return file;
        } finally {
            if (!created) {
                file.close();
                Files.deleteIfExists(fresh);
            }
        }
    }

    /** Tells this file from copies of it. */
    String name() throws IOException {
        Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        return String.valueOf(key);
    }

    /** A copy may have holes where there were zeros, which are written over; false when the disk has no room for them. */
    boolean fillHoles(FileChannel file) {
        ByteBuffer part = ByteBuffer.allocateDirect(ZEROS);
        try {
            for (long at = 0; at < layout.fileBytes(); at += part.limit()) {
                part.clear().limit((int) Math.min(ZEROS, layout.fileBytes() - at));
                while (part.hasRemaining()) {
                    if (file.read(part, at + part.position()) < 0) {
                        throw new EOFException("the file ends at " + (at + part.position()));
                    }
                }
                writeZeros(file, part, at);
            }
            return true;
        } catch (IOException full) {
            LOG.error(
                    "the file of the local tier is a copy with holes and the disk has no room for them file={}",
                    path,
                    full);
            return false;
        }
    }

    /** Writes again what is zero in a part of the file; what is not has its room. */
    private static void writeZeros(FileChannel file, ByteBuffer part, long at) throws IOException {
        int from = 0;
        while (from < part.limit()) {
            int to = from;
            while (to < part.limit() && isZero(part, to)) {
                to += LEAST_HOLE;
            }
            ByteBuffer zeros = part.slice(from, to - from);
            while (zeros.hasRemaining()) {
                file.write(zeros, at + from + zeros.position());
            }
            from = to + LEAST_HOLE;
        }
    }

    private static boolean isZero(ByteBuffer part, int from) {
        for (int at = from; at < from + LEAST_HOLE; at += Long.BYTES) {
            if (part.getLong(at) != 0) {
                return false;
            }
        }
        return true;
    }

    /** A hole in the file would be a crash, or at least a lost write, on the day on which the disk is full. */
    private void fill(FileChannel file) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
        long left = layout.fileBytes();
        while (left > 0) {
            zeros.clear().limit((int) Math.min(ZEROS, left));
            left -= file.write(zeros);
        }
    }
}
