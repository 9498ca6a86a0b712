package dev.terrace.tier.backup.blob;

import dev.terrace.spi.BlobName;
import dev.terrace.spi.BlobStore.Page;
import dev.terrace.spi.BlobStore.Stat;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One page of a listing, by a walk that is in the order of the bytes of names and leaves out folders that cannot hold any wanted one. Holds the
 * entries of the folders that it stands in, no more. Links are not followed.
 */
final class BlobWalk {
    private final BlobFolder folder;
    private final String prefix;
    private final String after;
    private final int most;
    private final List<Stat> found = new ArrayList<>();

    BlobWalk(BlobFolder folder, String prefix, @Nullable String after, int most) {
        this.folder = folder;
        this.prefix = prefix;
        this.after = after == null ? "" : after;
        this.most = most;
    }

    Page page() throws IOException {
        boolean more = walk(folder.root(), "");
        return new Page(List.copyOf(found), more ? found.get(most - 1).name() : null);
    }

    /** True when the page is full and there is more. */
    private boolean walk(Path parent, String path) throws IOException {
        for (String entry : children(parent).keySet()) {
            boolean isFolder = entry.endsWith("/");
            String name = path + entry;
            if (isFolder) {
                if (mayHold(name) && walk(parent.resolve(entry), name)) {
                    return true;
                }
            } else if (name.startsWith(prefix) && name.compareTo(after) > 0 && BlobName.isName(name)) {
                Stat stat = stat(name);
                if (stat == null) {
                    continue;
                }
                if (found.size() == most) {
                    return true;
                }
                found.add(stat);
            }
        }
        return false;
    }

    /** Folders end with the separator, so that they stand where the names in them would. */
    private static Map<String, Boolean> children(Path parent) throws IOException {
        TreeMap<String, Boolean> children = new TreeMap<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent)) {
            for (Path entry : entries) {
                Path name = entry.getFileName();
                if (name == null) {
                    continue;
                }
                boolean isFolder = Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS);
                children.put(isFolder ? name + "/" : name.toString(), isFolder);
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        } catch (NoSuchFileException | NotDirectoryException e) {
            return new TreeMap<>(); // Removed meanwhile.
        }
        return children;
    }

    private boolean mayHold(String path) {
        boolean fits = path.startsWith(prefix) || prefix.startsWith(path);
        // All names in it sort between the path and the path with its last character, the separator, raised.
        return fits && (after.startsWith(path) || path.compareTo(after) > 0);
    }

    private @Nullable Stat stat(String name) throws IOException {
        return stat(folder.file(name), name);
    }

    /** Null when there is no such file. */
    static @Nullable Stat stat(Path file, String name) throws IOException {
        try {
            BasicFileAttributes found =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return found.isRegularFile()
                    ? new Stat(name, found.size(), found.lastModifiedTime().toMillis())
                    : null;
        } catch (NoSuchFileException e) {
            return null;
        } catch (FileSystemException e) {
            if (Failures.isBelowAFile(e)) {
                return null;
            }
            throw e;
        }
    }
}
