package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobSource;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;

/**
 * Opens what was sealed to an offline key, and remembers what it has opened, so that a restore that was killed does not fetch it
 * again. Thread-safe for different files.
 */
final class Unsealing {
    private final Path memory;
    private final @Nullable RecipientKey own;

    /**
     * @param memory a folder, one small file for each that was opened
     * @param own the private key; null where none was given
     */
    Unsealing(Path memory, @Nullable RecipientKey own) {
        this.memory = memory;
        this.own = own;
    }

    private RecipientKey own(BlobRef blob) {
        RecipientKey key = own;
        if (key == null) {
            throw keyIsMissing(blob);
        }
        return key;
    }

    /** Says what to do. */
    static SetupException keyIsMissing(BlobRef blob) {
        return new SetupException(
                "the backup is sealed to an offline key (" + blob.name() + ")",
                "give the file with its private half: --private-key FILE --private-key-passphrase-file FILE");
    }

    private InputStream open(InputStream box, BlobRef blob) throws IOException {
        try {
            return SealedBox.open(box, own(blob));
        } catch (SealedBox.NotForUsException e) {
            throw new SetupException(
                    "the backup is sealed to another key (" + blob.name() + "): " + e.getMessage(),
                    "give the private key of a recipient that backup_storage.object_storage.sealed_to named then",
                    e);
        }
    }

    /** Opens a small one. */
    byte[] open(BlobRef blob, byte[] box) throws IOException {
        try (InputStream in = open(new ByteArrayInputStream(box), blob)) {
            return in.readAllBytes();
        }
    }

    /** Opens {@code box} into {@code target}, which is there only when it is whole. */
    void open(BlobRef blob, Path box, Path target) throws IOException {
        Path opening = target.resolveSibling(target.getFileName() + ".opening");
        try (InputStream in = open(Files.newInputStream(box), blob)) {
            Files.copy(in, opening, StandardCopyOption.REPLACE_EXISTING);
        }
        Synced.file(opening);
        Files.createDirectories(memory);
        String line = blob.sha256() + " " + Sha256.of(BlobSource.of(opening));
        Atomically.write(memory.resolve(name(target)), line.getBytes(StandardCharsets.US_ASCII));
        Files.move(opening, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Whether {@code target} is what {@link #open(BlobRef, Path, Path)} made of that blob, unchanged. */
    boolean wasOpened(BlobRef blob, Path target) throws IOException {
        Path remembered = memory.resolve(name(target));
        return Files.exists(remembered)
                && Files.readString(remembered, StandardCharsets.US_ASCII)
                        .equals(blob.sha256() + " " + Sha256.of(BlobSource.of(target)));
    }

    private static String name(Path target) {
        return target.getFileName().toString();
    }

    /** Forgets all. */
    void forget() throws IOException {
        Folders.delete(memory);
    }
}
