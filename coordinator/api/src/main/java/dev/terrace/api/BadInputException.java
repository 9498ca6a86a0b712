package dev.terrace.api;

/** The call cannot succeed as it is: empty or oversize key, oversize value, null. Nothing was changed. Fix the call. */
public final class BadInputException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** See {@link TerraceException}. */
    public BadInputException(String problem, String hint) {
        super(problem, hint, null);
    }
}
