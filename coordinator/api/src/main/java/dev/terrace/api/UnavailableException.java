package dev.terrace.api;

/** The operation needs a tier that cannot be reached now, and cannot be done safely without it. Try later. */
public class UnavailableException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** See {@link TerraceException}. */
    public UnavailableException(String problem, String hint) {
        super(problem, hint, null);
    }
}
