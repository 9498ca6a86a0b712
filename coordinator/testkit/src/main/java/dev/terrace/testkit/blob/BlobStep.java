package dev.terrace.testkit.blob;

/**
 * One step of a {@link HeapBlobStore}: what takes effect as a whole or not at all.
 *
 * @param number from 1, in the order in which this store was asked
 * @param operation what is done
 * @param name the blob, or the prefix of a listing
 */
public record BlobStep(long number, Operation operation, String name) {
    /** What is done. */
    public enum Operation {
        /** See {@link dev.terrace.spi.BlobStore#stat}. */
        STAT,
        /** See {@link dev.terrace.spi.BlobStore#read}. */
        READ,
        /** See {@link dev.terrace.spi.BlobStore#open}. */
        OPEN,
        /** See {@link dev.terrace.spi.BlobStore#write}. */
        WRITE,
        /** See {@link dev.terrace.spi.BlobStore#list}. */
        LIST,
        /** One name of a {@link dev.terrace.spi.BlobStore#delete}. */
        DELETE,
        /** See {@link dev.terrace.spi.BlobStore#discardUnfinished}. */
        DISCARD
    }
}
