/** Blobs in a folder: {@link dev.terrace.tier.backup.blob.FileBlobStoreProvider}, found by the scheme {@code file}. */
@NullMarked
package dev.terrace.tier.backup.blob;

import org.jspecify.annotations.NullMarked;
