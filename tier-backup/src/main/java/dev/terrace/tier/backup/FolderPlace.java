package dev.terrace.tier.backup;

import dev.terrace.tier.backup.repo.Place;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A folder's place in its repository, in the file {@code BACKUP} beside the database. */
final class FolderPlace implements Place.Memory {
    private static final Logger LOG = LoggerFactory.getLogger(FolderPlace.class);

    private final Path file;

    FolderPlace(Path file) {
        this.file = file;
    }

    @Override
    public @Nullable Place load() throws IOException {
        try {
            return Place.parse(Files.readString(file, StandardCharsets.US_ASCII));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IllegalArgumentException e) {
            // A new writer and a snapshot of its own cost time and space, and lose nothing.
            LOG.warn("the folder's place in its repository cannot be read, it registers anew file={}", file, e);
            return null;
        }
    }

    @Override
    public void save(Place place) throws IOException {
        Atomically.write(file, place.text().getBytes(StandardCharsets.US_ASCII));
    }
}
