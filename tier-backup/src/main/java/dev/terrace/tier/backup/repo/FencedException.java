package dev.terrace.tier.backup.repo;

/**
 * Somebody else has written to this folder's chain, or the chain was put back to an older state: the folder is a copy, or was put back itself.
 * It goes on as a new writer, with a snapshot of its own.
 */
public final class FencedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** For people: why the chain is not the folder's any more. */
    public FencedException(String message) {
        super(message);
    }
}
