/**
 * Blobs in S3 buckets: {@link dev.terrace.blob.s3.S3BlobStoreProvider}, found by the scheme {@code s3}. Nothing of the AWS SDK is loaded before a bucket
 * is opened.
 */
@NullMarked
package dev.terrace.blob.s3;

import org.jspecify.annotations.NullMarked;
