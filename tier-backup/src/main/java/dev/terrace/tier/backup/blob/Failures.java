package dev.terrace.tier.backup.blob;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/** What a file system's failure means to who keeps blobs in it. */
final class Failures {
    private Failures() {}

    static BlobException of(Path file, IOException e) {
        if (e instanceof ClosedByInterruptException) {
            return new BlobException(Kind.INTERRUPTED, "interrupted at " + file, e);
        }
        String reason = reason(e);
        return switch (kind(e, reason.toLowerCase(Locale.ROOT))) {
            case FULL ->
                new BlobException(
                        Kind.FULL, "there is no room for " + file + ": " + reason + "; free some, or prune backups", e);
            case DENIED ->
                new BlobException(
                        Kind.DENIED,
                        file + " may not be touched: " + reason + "; the folder must belong to this user",
                        e);
            case UNSUPPORTED ->
                new BlobException(
                        Kind.UNSUPPORTED,
                        file + " cannot be, because a blob is where its folder would be, or the other way",
                        e);
            default -> new BlobException(Kind.UNAVAILABLE, file + " does not answer: " + reason, e);
        };
    }

    private static Kind kind(IOException e, String reason) {
        // The system's words: the JDK has no exception of its own for these.
        if (reason.contains("no space left")
                || reason.contains("quota exceeded")
                || reason.contains("not enough space")) {
            return Kind.FULL;
        }
        if (e instanceof AccessDeniedException
                || reason.contains("read-only file system")
                || reason.contains("operation not permitted")) {
            return Kind.DENIED;
        }
        if (reason.contains("not a directory") || reason.contains("is a directory")) {
            return Kind.UNSUPPORTED;
        }
        return Kind.UNAVAILABLE;
    }

    /** A blob stands where a folder would. */
    static boolean isBelowAFile(FileSystemException e) {
        return reason(e).toLowerCase(Locale.ROOT).contains("not a directory");
    }

    static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        if (e instanceof NoSuchFileException) {
            return "it does not exist";
        }
        String reason = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
        return reason == null ? e.getClass().getSimpleName().replace("Exception", "") : reason;
    }
}
