package dev.terrace.tier.backup.blob;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/** Where names lie on disk, and what must be synced so that they stay. */
final class BlobFolder {
    /** Not a blob's name, and on the same disk: what is moved from here appears at once. */
    static final String UNFINISHED = "!unfinished";

    private final Path root;
    private final boolean posix;

    private BlobFolder(Path root, boolean posix) {
        this.root = root;
        this.posix = posix;
    }

    /** Takes the folder, creating it in its parent. */
    static BlobFolder take(Path folder) throws IOException {
        Path parent = folder.toAbsolutePath().getParent();
        boolean posix = parent != null
                && Files.exists(parent)
                && Files.getFileStore(parent).supportsFileAttributeView("posix");
        if (!Files.isDirectory(folder)) {
            try {
                Files.createDirectory(folder, owners(posix, true));
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(folder)) {
                    throw new IOException("it is a file", e);
                }
            }
            if (parent != null) {
                sync(parent);
            }
        }
        return new BlobFolder(folder.toRealPath(), posix);
    }

    Path root() {
        return root;
    }

    /** Where the blob is or would be. */
    Path file(String name) {
        return root.resolve(name);
    }

    /** The blob's name. */
    String name(Path file) {
        return root.relativize(file).toString().replace(File.separatorChar, '/');
    }

    /** The folder of unfinished files, made when it is missing. */
    Path unfinished() throws IOException {
        Path folder = root.resolve(UNFINISHED);
        makeFolder(folder);
        return folder;
    }

    FileAttribute<?>[] ofFiles() {
        return owners(posix, false);
    }

    private static FileAttribute<?>[] owners(boolean posix, boolean folder) {
        if (!posix) {
            return new FileAttribute<?>[0];
        }
        return new FileAttribute<?>[] {
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(folder ? "rwx------" : "rw-------"))
        };
    }

    /** Makes the folders that a file needs, each synced into its own. */
    void makeFolderFor(Path file) throws IOException, BlobException {
        Path folder = file.getParent();
        if (folder == null) {
            throw new IOException(file + " is not in a folder");
        }
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            makeFolders(folder);
        }
        within(folder);
    }

    private void makeFolders(Path folder) throws IOException, BlobException {
        Path parent = folder.getParent();
        if (folder.equals(root) || parent == null || Files.isDirectory(folder)) {
            return;
        }
        makeFolders(parent);
        within(parent);
        makeFolder(folder);
    }

    private void makeFolder(Path folder) throws IOException {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            Files.createDirectory(folder, owners(posix, true));
            sync(root.equals(folder.getParent()) ? root : folder.resolve(".."));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw new FileSystemException(folder.toString(), null, "Not a directory");
            }
        }
    }

    /** The file itself when no link leads out of the folder on the way to it; what does not exist leads nowhere. */
    Path within(Path file) throws IOException, BlobException {
        try {
            if (!file.toRealPath().startsWith(root)) {
                throw new BlobException(
                        Kind.DENIED, file + " leads out of " + root + " by a symbolic link; remove the link", null);
            }
        } catch (NoSuchFileException e) {
            if (Files.isSymbolicLink(file)) {
                throw new BlobException(Kind.DENIED, file + " is a symbolic link to nowhere; remove it", e);
            }
        } catch (FileSystemException e) {
            if (!Failures.isBelowAFile(e)) {
                throw e;
            }
        }
        return file;
    }

    /** Makes a folder's entries last. */
    static void sync(Path folder) throws IOException {
        if (!System.getProperty("os.name", "").startsWith("Windows")) { // It cannot open folders.
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
