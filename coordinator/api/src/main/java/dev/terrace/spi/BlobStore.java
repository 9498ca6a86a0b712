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
 * {@code .} or {@code ..} ({@link BlobName}; anything else is an {@link IllegalArgumentException}). No name is the beginning of another that goes on with {@code /}: a
 * folder could not hold both. A blob is complete or absent: who reads while another writes sees the old bytes, the new ones, or nothing.
 *
 * <p>Calls block, each for a bounded time, retries within it included; they belong on threads of jobs, never on a request's. An
 * interrupt ends a call soon with {@link BlobException.Kind#INTERRUPTED} and the flag set. When a write fails otherwise, whether it
 * took effect is not known unless the exception's kind says so; trying it again is safe.
 */
public interface BlobStore extends AutoCloseable {
    /** Longest blob that can be created on condition that it is absent, because it must go in one part. */
    int MOST_BYTES_IF_ABSENT = 64 << 20;

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
     * closing early gives the connection up. Its {@link java.io.IOException}s have a {@link BlobException} as cause where the store is to blame.
     *
     * @param offset within the blob or just behind it; what reaches beyond its end is refused ({@link BlobException.Kind#CORRUPT}), here or while it is read
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
     *     {@link Written#STORED}, and one that cannot tell whether it was the one finds out or fails. Needs {@link
     *     BlobCapabilities#createsIfAbsent()} ({@link BlobException.Kind#UNSUPPORTED} else); at most {@link
     *     #MOST_BYTES_IF_ABSENT} ({@link BlobException.Kind#TOO_LARGE})
     * @throws BlobException of kind {@link BlobException.Kind#CORRUPT} also when the source failed or did not have the bytes it
     *     promised; nothing was stored then
     */
    Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException;

    /**
     * Names that begin with {@code prefix}, after {@code after} (null: from the first). Never what decides the truth: it may lag.
     *
     * @param prefix any beginning of names, part of a part too; empty for all
     * @param after a name, or what {@link Page#next()} said; neither needs to exist
     * @param most most names wanted, at least 1; there may be fewer though there are more to come
     */
    Page list(String prefix, @Nullable String after, int most) throws BlobException;

    /** Removes blobs; those that are absent are no failure. */
    void delete(Collection<String> names) throws BlobException;

    /** Removes what uploads that died left behind and that began before the moment, by the store's clock; returns how many. */
    int discardUnfinished(long olderThanMillis) throws BlobException;

    /** Gives connections back. Calls under way and later ones end with {@link BlobException.Kind#CLOSED}. Closing twice does nothing. */
    @Override
    void close();
}
