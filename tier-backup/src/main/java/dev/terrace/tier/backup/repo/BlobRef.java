package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobName;

/**
 * A blob as a generation names it.
 *
 * @param name below the repository's prefix
 * @param bytes its length
 * @param sha256 of its bytes, 64 hex digits
 */
public record BlobRef(String name, long bytes, String sha256) {
    /** Checks. */
    public BlobRef {
        BlobName.require(name);
        if (bytes < 0) {
            throw new IllegalArgumentException("a blob has no " + bytes + " bytes");
        }
        Ref.requireHash(sha256);
    }

    /** Whether its bytes are a sealed box. */
    public boolean isSealed() {
        return !Names.suffix(name).isEmpty();
    }
}
