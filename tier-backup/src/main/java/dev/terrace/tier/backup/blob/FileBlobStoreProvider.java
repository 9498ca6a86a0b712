package dev.terrace.tier.backup.blob;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStoreProvider;
import dev.terrace.spi.TierContext;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/**
 * Opens {@code file:/folder}: a local disk, or one that is mounted. The folder is created when its parent exists. What is made is readable by its owner
 * only.
 */
public final class FileBlobStoreProvider implements BlobStoreProvider {
    /** For {@link java.util.ServiceLoader}. */
    public FileBlobStoreProvider() {}

    @Override
    public String scheme() {
        return "file";
    }

    @Override
    public BlobStore open(URI location, TierContext context) throws BlobException {
        String path = location.getPath();
        if (location.getAuthority() != null || path == null || !path.startsWith("/")) {
            throw new SetupException("'" + location + "' is not a folder", "write file:/folder");
        }
        Path folder = Path.of(path);
        try {
            return FileBlobStore.open(folder);
        } catch (IOException e) {
            throw new SetupException(
                    "the blob folder " + folder + " cannot be used: " + Failures.reason(e),
                    "name a folder that this user can write, on a disk that is mounted",
                    e);
        }
    }
}
