package dev.terrace.api;

/** A write was refused because it could not be kept safe now; nothing was changed. Reads go on. */
public final class ReadOnlyException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    /** See {@link TerraceException}. */
    public ReadOnlyException(String problem, String hint) {
        super(problem, hint);
    }
}
