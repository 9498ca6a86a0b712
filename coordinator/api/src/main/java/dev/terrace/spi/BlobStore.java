package dev.terrace.spi;

import java.io.InputStream;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Named blobs in a folder or a bucket, under one prefix. What a backup is kept in. Thread-safe.
 *
 * <p>Names are relative to the prefix: parts of {@code [A-Za-z0-9._-]}, joined by {@code /}, at most 512 characters; no part is empty,
 * {@code .} or {@code ..}. A blob is complete or absent: who reads while another writes sees the old bytes, the new ones, or nothing.
 *
 * <p>Calls block, each for a bounded time, retries within it included; they belong on threads of jobs, never on a request's. An
 * interrupt ends a call soon with {@link BlobException.Kind#INTERRUPTED} and the flag set. When a write fails otherwise, whether it
 * took effect is not known unless the exception's kind says so; trying it again is safe.
 */
public interface BlobStore extends AutoCloseable {
    /** Where this is, without secrets; for messages. */
    URI location();

    /** What the other side was found to do, by trying it when this was opened. */
    BlobCapabilities capabilities();

    /**
     * What is known of a blob.
     *
     * @param name its name
     * @param bytes its length
     * @param modifiedMillis when it was written, by the store's clock, milliseconds since the epoch
     */
    record Stat(String name, long bytes, long modifiedMillis) {}

    /**
     * Some names in ascending order of their bytes.
     *
     * @param blobs what was found
     * @param next where to go on, or null at the end
     */
    record Page(List<Stat> blobs, @Nullable String next) {}

    /** How a write ended. */
    enum Written {
        /** The blob is there, with these bytes. */
        STORED,
        /** Nothing was written: a blob of that name exists, and only an absent one was to be made. */
        EXISTED
    }

    /** The blob, or empty when there is none. Listings may lag behind this on weak stores; this must not. */
    Optional<Stat> stat(String name) throws BlobException;

    /**
     * All bytes of a small blob, or empty when there is none.
     *
     * @param mostBytes a longer blob is refused before it is read ({@link BlobException.Kind#TOO_LARGE})
     */
    Optional<byte[]> read(String name, int mostBytes) throws BlobException;

    /**
     * A stream over {@code length} bytes from {@code offset}. Ends early only with an exception, never silently. The caller closes it;
     * closing early gives the connection up.
     *
     * @throws BlobException of kind {@link BlobException.Kind#ABSENT} when there is no such blob
     */
    InputStream open(String name, long offset, long length) throws BlobException;

    /** Writes a small blob. */
    default Written write(String name, byte[] bytes, boolean onlyIfAbsent) throws BlobException {
        return write(name, BlobSource.of(bytes), onlyIfAbsent);
    }

    /**
     * Writes a blob; in parts, several at a time, when it is long. What was written is compared by checksum with what was meant.
     *
     * @param onlyIfAbsent the decision is the store's, in one step: of several that write at the same time exactly one hears
     *     {@link Written#STORED}. Needs {@link BlobCapabilities#createsIfAbsent()}. Only for blobs that go in one part.
     */
    Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException;

    /** Names that begin with {@code prefix}, after {@code after} (null: from the first). Never what decides the truth: it may lag. */
    Page list(String prefix, @Nullable String after, int most) throws BlobException;

    /** Removes blobs; those that are absent are no failure. */
    void delete(Collection<String> names) throws BlobException;

    /** Removes what uploads that died left behind and that is older than the moment; returns how many. */
    int discardUnfinished(long olderThanMillis) throws BlobException;

    /** Gives connections back. */
    @Override
    void close();
}
