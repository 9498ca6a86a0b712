package dev.terrace.api;

/** Thrown by a {@link Writer}: the origin refuses this write and always will, so trying again is of no use. */
public class RejectedWriteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    public RejectedWriteException(String message) {
        super(message);
    }

    /** Why, and what lies beneath. */
    public RejectedWriteException(String message, Throwable cause) {
        super(message, cause);
    }
}
