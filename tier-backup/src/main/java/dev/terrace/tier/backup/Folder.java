package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder of L3's or of the journal's: whose it is, what form it has, and what lies where. Nothing is written into a folder that is not
 * Terrace's own.
 */
final class Folder implements AutoCloseable {
    static final String MARKER = "TERRACE";
    static final String KEYS = "KEYS";
    static final String OWNER = "OWNER";
    static final String HIGH_WATER = "HIGHWATER";
    static final String DATABASE = "db";

    private static final int FORMAT = 1;
    private static final String RESTORED = "restored";

    /** What a folder is for. */
    enum Kind {
        /** L3. */
        BACKUP("backup_storage.path", "terrace l3 folder"),
        /** Writes that have yet to reach the origin. */
        JOURNAL("journal.path", "terrace journal folder");

        /** The setting that names it. */
        final String setting;

        private final String heading;

        Kind(String setting, String heading) {
            this.setting = setting;
            this.heading = heading;
        }
    }

    /** What an interrupted first start, or the file system itself, may leave in a folder that holds no data yet. */
    private static final Set<String> HARMLESS = Set.of(
            OWNER,
            KEYS,
            KEYS + ".new",
            MARKER + ".new",
            RestoreNote.FILE,
            RestoreNote.FILE + ".new",
            "lost+found",
            ".DS_Store");

    private final Kind kind;
    private final Path path;
    private final OwnerLock lock;
    private final boolean fresh;

    /** Of the file that is locked, which nobody else can have while it is open; null where files have no identity. */
    private final @Nullable Object ownerKey;

    private Folder(Kind kind, Path path, OwnerLock lock, boolean fresh) throws IOException {
        this.ownerKey = Files.readAttributes(path.resolve(OWNER), BasicFileAttributes.class)
                .fileKey();
        this.kind = kind;
        this.path = path;
        this.lock = lock;
        this.fresh = fresh;
    }

    /** Whether the database still lies where it was opened, and no other one in its place. */
    boolean isThere() {
        try {
            Object owner = Files.readAttributes(path.resolve(OWNER), BasicFileAttributes.class)
                    .fileKey();
            return Objects.equals(owner, ownerKey)
                    && Files.exists(path.resolve(DATABASE).resolve("CURRENT"));
        } catch (IOException gone) {
            return false;
        }
    }

    /**
     * Takes the folder for this process, creating it when it does not exist.
     *
     * @throws SetupException when it is someone else's, in use, of another form, or cannot be written; nothing was
     *     changed then
     */
    static Folder take(Kind kind, Path path, boolean encrypted) {
        try {
            if (Files.exists(path) && !Files.isDirectory(path)) {
                throw new SetupException(
                        kind.setting + " " + path + " is a file", "name a folder that is empty or Terrace's own");
            }
            create(path);
            boolean fresh = inspect(kind, path, encrypted);
            OwnerLock lock = OwnerLock.take(kind.setting, path.resolve(OWNER));
            try {
                // Another process may have been first.
                return new Folder(kind, path, lock, inspect(kind, path, encrypted) && fresh);
            } catch (RuntimeException | IOException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw unusable(kind, path, e);
        }
    }

    SetupException unusable(Exception e) {
        return unusable(kind, path, e);
    }

    static SetupException unusable(Kind kind, Path path, Exception e) {
        return new SetupException(
                kind.setting + " " + path + " cannot be used: " + reason(e),
                "name a folder on a writable disk with free space, owned by this user",
                e);
    }

    private static String reason(Exception e) {
        String kind = e.getClass().getSimpleName().replace("Exception", "");
        return e.getMessage() == null ? kind : kind + " " + e.getMessage();
    }

    private static void create(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return;
        }
        Path parent = path.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        if (parent != null && Files.getFileStore(parent).supportsFileAttributeView("posix")) {
            Files.createDirectories(
                    path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(path);
        }
    }

    /** True when the folder holds nothing yet; throws when it is not for us. Reads only. */
    private static boolean inspect(Kind kind, Path path, boolean encrypted) throws IOException {
        Path marker = path.resolve(MARKER);
        if (!Files.exists(marker)) {
            try (Stream<Path> children = Files.list(path)) {
                List<String> foreign = children.map(child -> child.getFileName().toString())
                        .filter(name -> !HARMLESS.contains(name))
                        .sorted()
                        .limit(3)
                        .toList();
                if (!foreign.isEmpty()) {
                    throw new SetupException(
                            kind.setting + " " + path + " is not Terrace's: it holds " + String.join(", ", foreign)
                                    + " and no " + MARKER + " file; nothing was changed",
                            "name an empty folder");
                }
            }
            return true;
        }
        Map<String, String> form = readMarker(kind, marker);
        String format = form.getOrDefault("format", "");
        if (!format.equals(Integer.toString(FORMAT))) {
            throw new SetupException(
                    kind.setting + " " + path + " has format '" + format + "', this version reads " + FORMAT
                            + "; nothing was changed",
                    "use the version that wrote it, or another folder");
        }
        boolean holdsEncrypted = "aes-256-gcm".equals(form.get("encryption"));
        if (holdsEncrypted != encrypted) {
            throw new SetupException(
                    kind.setting + " " + path + " holds " + (holdsEncrypted ? "encrypted" : "plain")
                            + " data, but backup_storage.encryption is " + encrypted + "; nothing was changed",
                    "set encryption: " + holdsEncrypted + ", or name another folder");
        }
        return false;
    }

    private static Map<String, String> readMarker(Kind kind, Path marker) throws IOException {
        if (Files.size(marker) > 4096) {
            return Map.of();
        }
        String text = new String(Files.readAllBytes(marker), StandardCharsets.ISO_8859_1);
        if (!text.startsWith(kind.heading + "\n")) {
            return Map.of();
        }
        return text.lines()
                .filter(line -> line.contains("="))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf('=')),
                        line -> line.substring(line.indexOf('=') + 1),
                        (first, second) -> first));
    }

    /** Makes the folder Terrace's. Everything a reader needs besides the database must be there already. */
    void mark(boolean encrypted) throws IOException {
        Atomically.write(path.resolve(MARKER), form(kind, encrypted));
    }

    /** What makes a folder Terrace's, in the file {@code TERRACE}. */
    static byte[] form(Kind kind, boolean encrypted) {
        return text(kind, encrypted).getBytes(StandardCharsets.US_ASCII);
    }

    /** As {@link #form}, of a folder of L3 that was restored at that moment. */
    static byte[] restored(boolean encrypted, long nowMillis) {
        return (text(Kind.BACKUP, encrypted) + RESTORED + "=" + nowMillis + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(Kind kind, boolean encrypted) {
        return kind.heading + "\nformat=" + FORMAT + "\nencryption=" + (encrypted ? "aes-256-gcm" : "none") + "\n";
    }

    /** When it was restored, milliseconds since the epoch: what is older is kept as if it were written then. 0 when it was not. */
    long restoredMillis() throws IOException {
        Path marker = path.resolve(MARKER);
        String at = Files.exists(marker) ? readMarker(kind, marker).getOrDefault(RESTORED, "") : "";
        return at.matches("\\d{1,18}") ? Long.parseLong(at) : 0;
    }

    /** True when nothing was ever stored here. */
    boolean isFresh() {
        return fresh;
    }

    Path path() {
        return path;
    }

    Path keys() {
        return path.resolve(KEYS);
    }

    Path database() {
        return path.resolve(DATABASE);
    }

    Path highWater() {
        return path.resolve(HIGH_WATER);
    }

    /** Bytes free for this process, or -1 when that cannot be said. */
    long freeBytes() {
        try {
            return Files.getFileStore(path).getUsableSpace();
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            return -1;
        }
    }

    @Override
    public void close() {
        lock.close();
    }
}
