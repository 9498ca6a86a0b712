/**
 * For testing what keeps blobs and what is built on blobs: {@link dev.terrace.testkit.blob.BlobStoreContract}, which every store passes;
 * {@link dev.terrace.testkit.blob.HeapBucket} and the {@link dev.terrace.testkit.blob.HeapBlobStore}s on it, which fail, lag, crash and lose as
 * they are told.
 */
@NullMarked
package dev.terrace.testkit.blob;

import org.jspecify.annotations.NullMarked;
