package dev.terrace.spi;

import java.net.URI;

/**
 * Opens blob stores of one URL scheme; found through {@link java.util.ServiceLoader}, so that a user of plain folders does not carry a
 * cloud vendor's libraries.
 */
public interface BlobStoreProvider {
    /** The scheme: {@code file} or {@code s3}. */
    String scheme();

    /**
     * Opens the store at {@code location}: {@code file:/folder} or {@code s3://bucket/prefix}. Tries it: reads, and whether it can be
     * trusted to create only what is absent.
     *
     * @param context its settings are asked for what the scheme needs: endpoint, region, credentials, deadlines
     * @throws dev.terrace.api.SetupException when it cannot work as it is: wrong credentials, no such bucket, no such region
     * @throws BlobException when it could not be reached in time
     */
    BlobStore open(URI location, TierContext context) throws BlobException;
}
