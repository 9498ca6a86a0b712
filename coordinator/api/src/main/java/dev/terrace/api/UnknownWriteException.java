package dev.terrace.api;

/** Thrown by a {@link Writer}: the origin may have taken this write or not, for instance because its answer was lost. */
public class UnknownWriteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What is known. */
    public UnknownWriteException(String message) {
        super(message);
    }

    /** What is known, and what lies beneath. */
    public UnknownWriteException(String message, Throwable cause) {
        super(message, cause);
    }
}
