package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** A blob store did not do what it was asked. The message names the blob, the store and what may help. */
public final class BlobException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What kind of failure, which says whether trying again may help. */
    public enum Kind {
        /** There is no such blob. */
        ABSENT,
        /** The store answered that it is busy or broken, or did not answer in time. Trying later may help. */
        UNAVAILABLE,
        /** The credentials do not allow it, or the bucket does not exist. Trying again will not help. */
        DENIED,
        /** What was read or stored is not what was meant: checksum or length differ. */
        CORRUPT,
        /** The blob is longer than the caller takes. */
        TOO_LARGE,
        /** There is no room. */
        FULL,
        /** The calling thread was interrupted. */
        INTERRUPTED,
        /** The store cannot do this at all. */
        UNSUPPORTED,
        /** Whoever opened the store has closed it. */
        CLOSED
    }

    private final Kind kind;

    /** The message is for people: what, where, and what may help. */
    public BlobException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /** What kind of failure. */
    public Kind kind() {
        return kind;
    }
}
