package dev.terrace.blob.s3;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStoreProvider;
import dev.terrace.spi.TierContext;
import java.net.URI;

/**
 * Opens {@code s3://bucket/prefix}. Needs {@link BackupStorageSettings}, of which it reads the object storage; the place may be another, such as an
 * anchor's. Loads the AWS SDK when it opens, which takes about a second, and not before.
 */
public final class S3BlobStoreProvider implements BlobStoreProvider {
    /** For {@link java.util.ServiceLoader}. */
    public S3BlobStoreProvider() {}

    @Override
    public String scheme() {
        return "s3";
    }

    @Override
    public BlobStore open(URI location, TierContext context) throws BlobException {
        if (location.getHost() == null || location.getUserInfo() != null) {
            throw new SetupException("'" + location.getScheme() + "' URL without a bucket", "write s3://bucket/prefix");
        }
        ObjectStorageSettings settings =
                context.settings(BackupStorageSettings.class).objectStorage();
        return S3Opening.open(
                location, settings == null ? ObjectStorageSettings.of(location) : settings, context.metrics());
    }
}
